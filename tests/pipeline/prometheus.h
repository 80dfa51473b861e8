// Debian's Prometheus as a child of a test: a free loopback port, its data in a temporary folder.
#pragma once

#include <gtest/gtest.h>
#include <httplib.h>

#include <cmath>
#include <csignal>
#include <limits>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/free_port.h"
#include "tests/live/harness/program.h"

namespace nz::pipeline {

/// One series of an instant vector.
struct Series {
  std::map<std::string, std::string> labels;
  double value = 0;
};

class Prometheus {
 public:
  /// Scrapes 127.0.0.1:`target_port` once a second. `native`: with the feature flag that makes it
  /// ask for protobuf and store native histograms; else it asks for text. `more_jobs`: further
  /// entries of scrape_configs, indented by two; `rules`: a rule file's text.
  Prometheus(int target_port, bool native, const std::string& more_jobs = "",
             const std::string& rules = "")
      : port_(tests::free_port()) {
    const std::string rule_files =
        rules.empty() ? "" : "rule_files: [" + live::temporary_file("rules.yml", rules) + "]\n";
    const std::string config = live::temporary_file(
        "prometheus.yml", "global: {scrape_interval: 1s, scrape_timeout: 900ms}\n" + rule_files +
                              "scrape_configs:\n"
                              "  - job_name: nearzero\n"
                              "    static_configs: [{targets: ['127.0.0.1:" +
                              std::to_string(target_port) + "']}]\n" + more_jobs);
    const std::string data = live::temporary_file("prometheus", "") + ".d";
    std::vector<std::string> arguments{
        "/usr/bin/prometheus", "--config.file=" + config, "--storage.tsdb.path=" + data,
        "--web.listen-address=127.0.0.1:" + std::to_string(port_), "--log.level=warn"};
    if (native) arguments.emplace_back("--enable-feature=native-histograms");
    program_ = std::make_unique<live::Program>(std::move(arguments));
    const bool ready = live::eventually(
        [this] {
          const auto response = client().Get("/-/ready");
          return !program_->running() || (response && response->status == 200);
        },
        60);
    if (!ready || !program_->running())
      ADD_FAILURE() << "Prometheus did not become ready: " << program_->err();
  }
  ~Prometheus() {
    program_->signal(SIGTERM);
    program_->wait(10);
  }
  Prometheus(const Prometheus&) = delete;
  Prometheus& operator=(const Prometheus&) = delete;

  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

  /// PromQL, now. Empty, and a failure, when Prometheus refuses it.
  [[nodiscard]] std::vector<Series> query(const std::string& promql) const {
    std::vector<Series> result;
    const auto j = get("/api/v1/query", {{"query", promql}});
    if (j.value("status", "") != "success") {
      ADD_FAILURE() << promql << ": " << j.dump();
      return result;
    }
    for (const auto& row : j["data"]["result"]) {
      Series s;
      s.labels = row["metric"].get<std::map<std::string, std::string>>();
      if (row.contains("value")) s.value = std::stod(row["value"][1].get<std::string>());
      result.push_back(std::move(s));
    }
    return result;
  }
  /// The one value of a query; NaN when it gives none or several.
  [[nodiscard]] double value(const std::string& promql) const {
    const auto rows = query(promql);
    return rows.size() == 1 ? rows[0].value : std::numeric_limits<double>::quiet_NaN();
  }
  [[nodiscard]] nlohmann::json get(const std::string& path,
                                   const httplib::Params& parameters = {}) const {
    const auto response = client().Get(path.c_str(), parameters, httplib::Headers{});
    return response ? nlohmann::json::parse(response->body, nullptr, false)
                    : nlohmann::json::object();
  }

 private:
  [[nodiscard]] httplib::Client client() const {
    httplib::Client c("127.0.0.1", port_);
    c.set_connection_timeout(2);
    c.set_read_timeout(20);
    return c;
  }

  int port_;
  std::unique_ptr<live::Program> program_;
};

}  // namespace nz::pipeline
