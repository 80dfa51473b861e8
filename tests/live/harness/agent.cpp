#include "tests/live/harness/agent.h"

#include <gtest/gtest.h>
#include <httplib.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>

#include "tests/free_port.h"

namespace nz::live {
namespace {

bool includes(const cli::Labels& all, const cli::Labels& some) {
  for (const auto& [name, value] : some) {
    const auto found = all.find(name);
    if (found == all.end() || found->second != value) return false;
  }
  return true;
}

std::string output_of(const std::string& command) {
  std::string text;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return text;
  std::array<char, 4096> chunk{};
  while (const size_t n = fread(chunk.data(), 1, chunk.size(), pipe)) text.append(chunk.data(), n);
  pclose(pipe);
  return text;
}

}  // namespace

Agent::Agent(const std::string& yaml, bool own_overhead) : port_(tests::free_port()) {
  runtime_dir_ = temporary_file("run", "") + ".d";
  config_file_ = temporary_file(
      "nearzero.yaml",
      "listen: 127.0.0.1:" + std::to_string(port_) + "\nruntime_dir: " + runtime_dir_ +
          (own_overhead ? "" : "\noverhead: {calibrate: false, duty_cycle: false}") +
          (yaml.find("history:") == std::string::npos ? "\nhistory: {path: ''}" : "") + "\n" +
          yaml);
  program_ = std::make_unique<Program>(
      std::vector<std::string>{NZ_AGENT, "agent", "--config", config_file_});
  const bool ready = eventually(
      [this] {
        int status = 0;
        if (!program_->running()) return true;
        (void)get("/readyz", &status);
        return status == 200;
      },
      60);
  if (!ready || !program_->running())
    ADD_FAILURE() << "the agent did not become ready: " << program_->err();
}

std::string Agent::get(const std::string& path, int* status) const {
  httplib::Client client("127.0.0.1", port_);
  client.set_connection_timeout(2);
  client.set_read_timeout(10);
  const auto response = client.Get(path.c_str());
  if (status != nullptr) *status = response ? response->status : 0;
  return response ? response->body : std::string{};
}

void Agent::settle() const {
  // `status` makes the agent publish at once, behind every event that it had not read yet.
  sleep_seconds(0.1);
  (void)control("status");
}

cli::LiveData Agent::fetch() const {
  auto data = cli::fetch_live(url());
  if (!data) {
    ADD_FAILURE() << data.error().text();
    return {};
  }
  return std::move(*data);
}

std::string Agent::control(const std::string& command) const {
  return output_of(std::string(NZ_AGENT) + " " + command + " --runtime-dir " + runtime_dir_ +
                   " 2>&1");
}

bool Agent::has_member(pid_t pid, double seconds) const {
  return eventually(
      [&] {
        const auto health = nlohmann::json::parse(control("status"), nullptr, false);
        if (health.is_discarded()) return false;
        for (const auto& process : health["processes"]) {
          if (process["pid"] == pid) return true;
        }
        return false;
      },
      seconds);
}

int Agent::stop() {
  program_->signal(SIGTERM);
  return program_->wait(20);
}

analysis::Histogram histogram_of(const cli::LiveData& data, const std::string& family,
                                 const cli::Labels& labels) {
  analysis::Histogram total;
  for (const auto& [key, histogram] : data.histograms) {
    if (key.family == family && includes(key.labels, labels)) total.merge(histogram);
  }
  return total;
}

double value_of(const cli::LiveData& data, const std::string& family, const cli::Labels& labels) {
  double total = 0;
  for (const auto& [key, value] : data.values) {
    if (key.family == family && includes(key.labels, labels)) total += value;
  }
  return total;
}

bool anything_loaded() {
  return output_of("bpftool prog show 2>/dev/null; bpftool map show 2>/dev/null").find(" nz_") !=
         std::string::npos;
}

}  // namespace nz::live
