// What a run of nz-sqlite added to the metrics of the SQLite probe, beside what it counted itself.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "analysis/sql_digest.h"
#include "analysis/sql_display.h"
#include "tests/live/harness/agent.h"

namespace nz::live {

using cli::Labels;
using cli::LiveData;

inline const std::string kStatements = "nearzero_sqlite_statements_total";
inline const std::string kInside = "nearzero_sqlite_statement_duration_seconds";
inline const std::string kOpen = "nearzero_sqlite_statement_open_seconds";

inline std::string shown(const std::string& sql) {
  // The kernel reads 255 bytes.
  const std::string read = sql.substr(0, 255);
  return analysis::shorten_sql(analysis::display_sql(read) + (read.size() < 255 ? "" : "..."), 120);
}

// From the buckets alone: minimum and maximum of live data belong to the agent's last drain window,
// which is not the run.
inline double quantile_ns(const analysis::Histogram& h, double q) {
  return h.quantile_interpolated(q) * 1e9;
}

struct Observed {
  nlohmann::json truth;
  LiveData data;  // what this run added

  [[nodiscard]] double value(const std::string& family, const Labels& labels = {}) const {
    return value_of(data, family, labels);
  }
  [[nodiscard]] analysis::Histogram histogram(const std::string& family,
                                              const Labels& labels = {}) const {
    return histogram_of(data, family, labels);
  }
  [[nodiscard]] double statements(const std::string& sql) const {
    return value(kStatements, {{"statement", shown(sql)}});
  }
  [[nodiscard]] double incomplete(const std::string& cause) const {
    return value("nearzero_sqlite_incomplete_total", {{"cause", cause}});
  }
  [[nodiscard]] double wait_count(const std::string& kind) const {
    return static_cast<double>(histogram("nearzero_sqlite_wait_seconds", {{"kind", kind}}).count());
  }
};

inline std::map<std::string, std::unique_ptr<Agent>>& shared_agents() {
  static std::map<std::string, std::unique_ptr<Agent>> agents;
  return agents;
}

// Programs are matched by path: another build may be under test at the same time.

// One agent for each plan, for all tests that need nothing special. The breaker is out of the way:
// these programs do nothing but SQLite.
inline Agent& agent_with(const std::string& plan) {
  auto& agent = shared_agents()[plan];
  if (!agent) {
    agent = std::make_unique<Agent>(
        "host: false\noverhead: {calibrate: false, duty_cycle: false, breaker_factor: 1000}\n"
        "targets: [{name: db, match: {exe: \"" NZ_WORKLOADS
        "/nz-sqlite*\"}, scheduler: false, sqlite: {plan: " +
            plan + "}}]",
        true);
  }
  return *agent;
}

// For tests with an agent of their own: the shared ones would observe the same program.
inline void stop_shared_agents() { shared_agents().clear(); }

inline void expect_attached(const Agent& agent, pid_t pid) {
  ASSERT_TRUE(agent.has_member(pid));
  const auto health = nlohmann::json::parse(agent.control("status"), nullptr, false);
  EXPECT_NE(health.dump().find("SQLite 3."), std::string::npos) << health.dump(1);
}

inline Observed run_with(Agent& agent, const std::string& program,
                         std::vector<std::string> arguments) {
  arguments.emplace_back("--truth");
  Workload workload(program, arguments);
  expect_attached(agent, workload.pid());
  agent.settle();
  const LiveData before = agent.fetch();
  workload.go();
  EXPECT_EQ(workload.wait(120), 0) << workload.err();
  agent.settle();
  return {workload.json(), agent.fetch().since(before)};
}

// Each text of the truth was counted exactly.
inline void expect_texts(const Observed& run) {
  std::map<std::string, double> wanted;
  for (const auto& [sql, n] : run.truth["texts"].items()) wanted[shown(sql)] += n.get<double>();
  ASSERT_FALSE(wanted.empty());
  for (const auto& [text, n] : wanted)
    EXPECT_EQ(run.value(kStatements, {{"statement", text}}), n) << text;
}

}  // namespace nz::live
