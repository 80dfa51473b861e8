// A running agent as its users meet it: HTTP, the control socket, its log, `nearzero top`.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/live/harness/agent.h"
#include "tests/live/stage_counts.h"
#include "userspace/base/fd.h"

namespace nz::live {
namespace {

using Clock = std::chrono::steady_clock;
double since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

Fd connect_to_port(int port) {
  Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    return Fd();
  return fd;
}

Fd connect_to_socket(const std::string& runtime_dir) {
  Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, (runtime_dir + "/agent.sock").c_str());
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    return Fd();
  return fd;
}

std::string answer_to(const Agent& agent, const std::string& bytes) {
  const Fd fd = connect_to_socket(agent.runtime_dir());
  if (!fd.valid() || send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0)
    return "no connection";
  std::string text;
  char chunk[4096];
  for (ssize_t n = 0; (n = read(fd.get(), chunk, sizeof(chunk))) > 0;)
    text.append(chunk, static_cast<size_t>(n));
  return text;
}

// Longest time between two drains that shows in what is exported, over `seconds`.
double longest_gap_between_drains(const Agent& agent, double seconds) {
  const auto start = Clock::now();
  auto last = start;
  double longest = 0;
  double switches = -1;
  while (since(start) < seconds) {
    const double now = value_of(agent.fetch(), "nearzero_context_switches_total", {});
    if (now != switches) {
      if (switches >= 0) longest = std::max(longest, since(last));
      switches = now;
      last = Clock::now();
    }
    sleep_seconds(0.02);
  }
  return std::max(longest, since(last));
}

// One agent for everything that does not change it.
class Running : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    demo_ = new Workload("nz-demo", {"--rate", "1000", "--duration", "0"});
    std::ifstream in(std::string(NZ_SOURCE) + "/configs/demo.yaml");
    std::string yaml((std::istreambuf_iterator<char>(in)), {});
    const std::string comm = "comm: nz-demo";
    yaml.replace(yaml.find(comm), comm.size(), "pid: " + std::to_string(demo_->pid()));
    agent_ = new Agent("drain_interval: 500ms\n" + yaml);
    ASSERT_TRUE(agent_->has_member(demo_->pid()));
    demo_->go();
    sleep_seconds(3);
  }
  static void TearDownTestSuite() {
    demo_->signal(SIGTERM);
    EXPECT_EQ(demo_->wait(20), 0);
    EXPECT_EQ(agent_->stop(), 0);
    delete agent_;
    delete demo_;
  }
  // `nearzero top` with these arguments.
  static std::vector<std::string> top(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {NZ_AGENT, "top", "--url", agent_->url()});
    return arguments;
  }
  static std::string joined(const std::vector<std::string>& words) {
    std::string line;
    for (const std::string& word : words) line += word + " ";
    return line;
  }
  static Agent* agent_;
  static Workload* demo_;
};

Agent* Running::agent_ = nullptr;
Workload* Running::demo_ = nullptr;

void shows_four_families(const std::string& table) {
  for (const char* word :
       {"SCHEDULER", "ORDER PATH", "SQLITE", "SYSCALLS", "run queue", "risk", "INSERT", "p99"}) {
    EXPECT_NE(table.find(word), std::string::npos) << word << " in\n" << table;
  }
}

// ---- metrics
// --------------------------------------------------------------------------------------------

TEST_F(Running, PromtoolHasNothingToSay) {
  const std::string metrics = agent_->get("/metrics");
  for (const char* family :
       {"nearzero_runqueue_latency_seconds_bucket", "nearzero_syscall_duration_seconds_bucket",
        "nearzero_sqlite_statement_duration_seconds_bucket",
        "nearzero_order_stage_duration_seconds_bucket"}) {
    EXPECT_NE(metrics.find(std::string(family) + "{target=\"demo\""), std::string::npos) << family;
  }
  Program promtool(
      {"sh", "-c", "promtool check metrics < " + temporary_file("metrics.txt", metrics)});
  EXPECT_EQ(promtool.wait(30), 0) << promtool.err() << promtool.out();
  EXPECT_EQ(promtool.out() + promtool.err(), "");
}

TEST_F(Running, HealthIsFine) {
  int status = 0;
  const auto health = nlohmann::json::parse(agent_->get("/healthz", &status));
  EXPECT_EQ(status, 200) << health.dump(2);
  EXPECT_EQ(health["status"], "ok");
  EXPECT_EQ(health["processes"].size(), 1U);
  EXPECT_EQ(health["processes"][0]["pid"], demo_->pid());
  EXPECT_EQ(agent_->get("/readyz"), "ready\n");
  (void)agent_->get("/nothing-here", &status);
  EXPECT_EQ(status, 404);
}

TEST_F(Running, AnswersBehind200SilentAnd200SlowConnections) {
  std::vector<Fd> clients;
  for (int i = 0; i < 200; i++) {
    clients.push_back(connect_to_port(agent_->port()));  // says nothing
    clients.push_back(connect_to_port(agent_->port()));  // begins and does not go on
    ASSERT_TRUE(clients[clients.size() - 2].valid() && clients.back().valid()) << i;
    ASSERT_EQ(send(clients.back().get(), "GET /met", 8, MSG_NOSIGNAL), 8);
  }
  double slowest = 0;
  for (int i = 0; i < 10; i++) {
    for (size_t c = 1; c < clients.size(); c += 2)
      (void)send(clients[c].get(), "r", 1, MSG_NOSIGNAL);
    const auto start = Clock::now();
    int status = 0;
    const std::string metrics = agent_->get("/metrics", &status);
    slowest = std::max(slowest, since(start));
    EXPECT_EQ(status, 200);
    EXPECT_GT(metrics.size(), 10'000U);
  }
  std::printf("slowest of 10 scrapes behind 400 connections: %.1f ms\n", slowest * 1e3);
  EXPECT_LT(slowest, 1.0);
}

// ---- control socket
// ----------------------------------------------------------------------------------------

TEST_F(Running, GarbageOnTheControlSocketIsAnswered) {
  EXPECT_EQ(answer_to(*agent_, "dance\n"),
            "error: unknown command 'dance'; known: status, off, on\n");
  EXPECT_NE(answer_to(*agent_, std::string("\0\xff\x7f\n", 4)).find("error: unknown command"),
            std::string::npos);
  EXPECT_NE(answer_to(*agent_, "\n").find("error: unknown command ''"), std::string::npos);
  EXPECT_NE(answer_to(*agent_, "OFF\n").find("error"), std::string::npos) << "not a guess";
  EXPECT_NE(answer_to(*agent_, std::string(1'000, 'a')).find("error"), std::string::npos);
  EXPECT_NE(answer_to(*agent_, "status").find("\"status\""), std::string::npos)
      << "also without a line feed";
  EXPECT_EQ(value_of(agent_->fetch(), "nearzero_off", {}), 0);
  EXPECT_EQ(value_of(agent_->fetch(), "nearzero_agent_errors_total", {}), 0);
}

TEST_F(Running, SilentClientsDoNotHoldTheDrain) {
  std::vector<Fd> silent;
  for (int i = 0; i < 40; i++) silent.push_back(connect_to_socket(agent_->runtime_dir()));
  for (const Fd& fd : silent) ASSERT_TRUE(fd.valid());
  // 500 ms between drains; each of the 40 held for 200 ms would be 8 s.
  EXPECT_LT(longest_gap_between_drains(*agent_, 4), 1.5);
  EXPECT_NE(agent_->control("status").find("\"status\""), std::string::npos);
}

TEST_F(Running, TheControlSocketIsForRootAlone) {
  std::filesystem::permissions(agent_->runtime_dir(), std::filesystem::perms::all);
  Program program({"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", NZ_AGENT, "off",
                   "--runtime-dir", agent_->runtime_dir()});
  EXPECT_EQ(program.wait(20), 8);
  EXPECT_NE(program.err().find("Permission denied"), std::string::npos) << program.err();
  EXPECT_NE(program.err().find("run as root"), std::string::npos) << program.err();
  EXPECT_EQ(value_of(agent_->fetch(), "nearzero_off", {}), 0);
}

// ---- log
// ------------------------------------------------------------------------------------------------------

TEST_F(Running, TheLogIsJsonOneEventALine) {
  std::istringstream log(agent_->program().err());
  std::string line;
  size_t lines = 0;
  while (std::getline(log, line)) {
    const auto j = nlohmann::json::parse(line, nullptr, false);
    ASSERT_FALSE(j.is_discarded()) << line;
    EXPECT_EQ(j.size(), 3U) << line;
    EXPECT_TRUE(j["time"].is_string() && j["level"].is_string() && j["message"].is_string())
        << line;
    lines++;
  }
  EXPECT_GE(lines, 3U);
  EXPECT_TRUE(agent_->program().out().empty()) << "standard output is for answers";
}

// ---- top
// ----------------------------------------------------------------------------------------------------------

TEST_F(Running, TopOnce) {
  Program program(top({"--once"}));
  EXPECT_EQ(program.wait(20), 0) << program.err();
  shows_four_families(program.out());
  EXPECT_EQ(program.out().find('\033'), std::string::npos) << "no colours in a file";
}

TEST_F(Running, TopForADurationWithoutATerminal) {
  const auto start = Clock::now();
  Program program(top({"--duration", "4.5"}));
  EXPECT_EQ(program.wait(30), 0) << program.err();
  EXPECT_GE(since(start), 4.4);
  const std::string out = program.out();
  shows_four_families(out);
  EXPECT_EQ(out.find('\033'), std::string::npos);
  size_t tables = 0;
  for (size_t at = 0; (at = out.find("nearzero top  ", at)) != std::string::npos; at++) tables++;
  EXPECT_EQ(tables, 3U) << "every two seconds, and the rest";
}

TEST_F(Running, TopOnATerminal) {
  // script(1) gives it one; the environment of the test itself may forbid colours (.ci/run does).
  Program program({"script", "-qec",
                   "env -u NO_COLOR TERM=xterm " + joined(top({"--duration", "2.5"})),
                   "/dev/null"});
  EXPECT_EQ(program.wait(30), 0) << program.err();
  const std::string out = program.out();
  shows_four_families(out);
  EXPECT_NE(out.find("\033[H\033[J"), std::string::npos) << "drawn in place";
  EXPECT_NE(out.find("\033[1m"), std::string::npos);
  Program plain({"script", "-qec", "env NO_COLOR=1 TERM=xterm " + joined(top({"--duration", "1"})),
                 "/dev/null"});
  EXPECT_EQ(plain.wait(30), 0);
  EXPECT_EQ(plain.out().find("\033[1m"), std::string::npos);
}

TEST_F(Running, TopEndsWithCtrlC) {
  for (const int number : {SIGINT, SIGTERM}) {
    Program program(top({}));
    sleep_seconds(0.7);
    ASSERT_TRUE(program.running());
    const auto start = Clock::now();
    program.signal(number);
    EXPECT_EQ(program.wait(10), 0);
    EXPECT_LT(since(start), 1.5);
  }
}

TEST_F(Running, TopIntoAClosedPipe) {
  const auto start = Clock::now();
  Program program(
      {"bash", "-c", joined(top({"--duration", "30"})) + "| head -n 1; exit ${PIPESTATUS[0]}"});
  EXPECT_EQ(program.wait(40), 1) << program.err();
  EXPECT_LT(since(start), 20) << "it notices, and does not go on for nobody";
  EXPECT_EQ(program.err(), "") << "and does not complain";
  Program full({"bash", "-c", joined(top({"--once"})) + "> /dev/full"});
  EXPECT_EQ(full.wait(20), 1) << full.err();
}

// ---- degraded
// -------------------------------------------------------------------------------------------------------

TEST(Degraded, HealthSaysWhatIsMissingAndWhy) {
  Workload w("nz-functions", {"--call", "nz_entry_push", "--count", "100"});
  Agent agent(kNoBreaker + "targets:\n" +
                  target_yaml("orders", w.pid(),
                              {function_stage("good", "nz_entry_push", true),
                               function_stage("bad", "no_such_function")}),
              true);
  ASSERT_TRUE(agent.has_member(w.pid()));
  int status = 0;
  const auto health = nlohmann::json::parse(agent.get("/healthz", &status));
  EXPECT_EQ(status, 503);
  EXPECT_EQ(health["status"], "degraded");
  bool found = false;
  for (const auto& row : health["probes"]) {
    if (row["probe"] != "stages:bad") continue;
    found = true;
    EXPECT_EQ(row["attached"], false);
    EXPECT_NE(row["detail"].get<std::string>().find("no_such_function"), std::string::npos) << row;
  }
  EXPECT_TRUE(found) << health.dump(2);
  EXPECT_EQ(value_of(agent.fetch(), "nearzero_probe_attached", {{"probe", "stages:bad"}}), 0);
  EXPECT_EQ(value_of(agent.fetch(), "nearzero_probe_attached", {{"probe", "stages:good"}}), 1);
  (void)agent.get("/readyz", &status);
  EXPECT_EQ(status, 200) << "it serves what it has";
  w.go();
  EXPECT_EQ(w.wait(20), 0);
  agent.settle();
  EXPECT_EQ(stage_counts(agent.fetch(), "orders", "good").completed, 100U) << "the good one works";
}

}  // namespace
}  // namespace nz::live
