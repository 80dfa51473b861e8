// What the live tests of stages share: targets by pid in YAML, and what the agent exports of a
// stage.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "tests/live/harness/agent.h"

namespace nz::live {

/// The budget is one core for each target, so that loops of nothing but probed calls do not trip
/// the breaker. Use with Agent(..., true): the harness then writes no `overhead` of its own.
inline const std::string kNoBreaker =
    "overhead: {calibrate: false, duty_cycle: false, per_target: 100%}\n";

inline std::string target_yaml(const std::string& name, pid_t pid,
                               const std::vector<std::string>& stages) {
  std::string yaml = "  - name: " + name + "\n    match: {pid: " + std::to_string(pid) + "}\n";
  if (stages.empty()) return yaml;
  yaml += "    stages:\n";
  for (const std::string& stage : stages) yaml += "      - {" + stage + "}\n";
  return yaml;
}

/// `function:` with a return probe (nothrow) or by exit instructions.
inline std::string function_stage(const std::string& name, const std::string& function,
                                  bool nothrow = false) {
  return "name: " + name + ", function: \"" + function + "\"" + (nothrow ? ", nothrow: true" : "");
}

inline std::string span_stage(const std::string& name, const std::string& from,
                              const std::string& to) {
  return "name: " + name + ", from: \"" + from + "\", to: \"" + to + "\"";
}

/// One stage of one target, since the agent's start.
struct StageCounts {
  uint64_t started = 0, completed = 0;
  uint64_t restarted = 0, unwound = 0, thread_exited = 0, too_deep = 0, paused = 0;
  uint64_t unmatched = 0, torn = 0, in_flight = 0;
  analysis::Histogram duration;
  double components_ns = 0;

  [[nodiscard]] uint64_t abandoned() const {
    return restarted + unwound + thread_exited + too_deep + paused;
  }
};

inline StageCounts stage_counts(const cli::LiveData& data, const std::string& target,
                                const std::string& stage) {
  const cli::Labels labels{{"target", target}, {"stage", stage}};
  const auto value = [&](const std::string& name, cli::Labels more = {}) {
    more.insert(labels.begin(), labels.end());
    return static_cast<uint64_t>(
        std::llround(value_of(data, "nearzero_order_stage_" + name, more)));
  };
  StageCounts c;
  c.started = value("started_total");
  c.completed = value("completed_total");
  c.restarted = value("abandoned_total", {{"cause", "restarted"}});
  c.unwound = value("abandoned_total", {{"cause", "unwound"}});
  c.thread_exited = value("abandoned_total", {{"cause", "thread_exited"}});
  c.too_deep = value("abandoned_total", {{"cause", "too_deep"}});
  c.paused = value("abandoned_total", {{"cause", "paused"}});
  c.unmatched = value("unmatched_total");
  c.torn = value("torn_total");
  c.in_flight = value("in_flight");
  c.duration = histogram_of(data, "nearzero_order_stage_duration_seconds", labels);
  c.components_ns = value_of(data, "nearzero_order_stage_component_seconds_total", labels) * 1e9;
  return c;
}

inline double component_ns(const cli::LiveData& data, const std::string& target,
                           const std::string& stage, const std::string& component) {
  return value_of(data, "nearzero_order_stage_component_seconds_total",
                  {{"target", target}, {"stage", stage}, {"component", component}}) *
         1e9;
}

/// What holds for every stage at any time: nothing is lost silently.
inline void expect_balanced(const StageCounts& c) {
  EXPECT_EQ(c.started, c.completed + c.abandoned() + c.in_flight);
  EXPECT_EQ(c.duration.count(), c.completed);
  EXPECT_LE(c.torn, c.completed);
}

/// `calls` came in and went out, and nothing else happened.
inline void expect_exactly(const StageCounts& c, uint64_t calls) {
  EXPECT_EQ(c.started, calls);
  EXPECT_EQ(c.completed, calls);
  EXPECT_EQ(c.duration.count(), calls);
  EXPECT_EQ(c.abandoned(), 0U);
  EXPECT_EQ(c.unmatched, 0U);
  EXPECT_EQ(c.in_flight, 0U);
}

/// Row of /healthz for one stage of a target; null when there is none.
inline nlohmann::json health_row(const Agent& agent, const std::string& target,
                                 const std::string& stage) {
  const auto health = nlohmann::json::parse(agent.control("status"), nullptr, false);
  if (health.is_discarded()) return {};
  for (const auto& row : health["probes"]) {
    if (row["target"] == target && row["probe"] == "stages:" + stage) return row;
  }
  return {};
}

inline std::string plan_of(const Agent& agent, const std::string& target,
                           const std::string& stage) {
  const auto row = health_row(agent, target, stage);
  return row.is_null() ? std::string{} : row["detail"].get<std::string>();
}

}  // namespace nz::live
