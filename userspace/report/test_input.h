// Tests only: what a report of the demo service is made of, healthy or with slow syncs, by hand.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "analysis/bottlenecks/scene.h"
#include "userspace/report/input.h"

namespace nz::report::testing {

inline constexpr double kTo = 1'795'770'000;  // 2026-11-27T09:00:00Z
inline constexpr double kSeconds = 900;

/// A quarter of an hour of the demo at 300 orders/s, and the one before.
inline Input healthy() {
  analysis::test::Scene now, before;
  now.seconds = before.seconds = kSeconds;
  now.to = kTo;
  before.to = kTo - kSeconds;
  for (auto* scene : {&now, &before}) {
    scene->gauge("nearzero_host_memory_bytes", {{"kind", "total"}}, 8e9)
        .gauge("nearzero_host_memory_bytes", {{"kind", "available"}}, 6e9)
        .gauge("nearzero_target_memory_bytes", {{"target", "demo"}, {"kind", "resident"}}, 48e6)
        .counter("nearzero_disk_busy_seconds_total", {{"device", "vda"}}, 0.03)
        .counter("nearzero_agent_cpu_seconds_total", {}, 0.003)
        .counter("nearzero_probe_cost_seconds_total", {{"probe", "stages"}, {"target", "demo"}},
                 0.002)
        .gauge("nearzero_agent_resident_memory_bytes", {}, 27e6);
  }
  Input input;
  input.from = kTo - kSeconds;
  input.to = input.created = kTo;
  input.now = now.window();
  input.before = before.window();
  input.before_name = "the 15 min before";
  input.history_from = kTo - 3600;
  input.extras.host = {"host-1", "6.18.0", "0.1.0", 2, 8e9};
  input.extras.alerts.emplace();
  input.extras.regressions.emplace();
  input.extras.events.emplace();
  for (const char* statistic : {"p50", "p99", "rate"}) {
    TrendLine line;
    line.of = {"nearzero_order_stage_duration_seconds",
               {{"target", "demo"}, {"stage", "order"}},
               statistic,
               std::string(statistic) == "rate" ? "per second" : "seconds"};
    for (int i = 1; i <= 90; i++) {
      const double wave = 1 + 0.1 * std::sin(i * 0.7);
      const double at = input.from + i * 10;
      const double value = std::string(statistic) == "rate"  ? 300
                           : std::string(statistic) == "p99" ? 4e-4 * wave
                                                             : 2.8e-4 * wave;
      line.now.push_back({at, value});
      line.before.push_back({at, value / wave});
    }
    input.trends.push_back(std::move(line));
  }
  return input;
}

/// Since five minutes ago each order waits 20 ms for a sync.
inline Input incident(bool over = false) {
  Input input = healthy();
  analysis::test::Scene now;
  now.seconds = kSeconds;
  now.to = kTo;
  now.rate = 30;
  now.us["persist"]["disk"] = 20'000;
  now.waits["sync"] = {20'000, 1};
  input.now = now.window();
  input.findings = analysis::find_bottlenecks(input.now, input.before, {}, {});
  for (analysis::Finding& f : input.findings) {
    f.since = kTo - 300;
    f.until = over ? kTo - 60 : 0;
    f.state = over ? analysis::FindingState::resolved : analysis::FindingState::ongoing;
  }
  for (TrendLine& line : input.trends) {
    if (line.of.statistic == "rate") continue;
    for (history::Point& p : line.now) {
      if (p.at > kTo - 300) p.value = 2.05e-2;
    }
  }
  input.extras.events->push_back(
      {kTo - 310, "new_build", "demo", "demo was restarted with a new binary (build 4f2a)"});
  input.extras.alerts->push_back({"OrderPathSlow", "critical", "demo",
                                  "p99 of an order is above 5 ms", kTo - 240, over ? kTo - 30 : 0});
  analysis::Regression r;
  r.id = "r1";
  r.of = {"nearzero_order_stage_duration_seconds",
          {{"target", "demo"}, {"stage", "order"}},
          "p99",
          "seconds"};
  r.before = 4e-4;
  r.after = 2.05e-2;
  r.since = kTo - 300;
  r.earliest = kTo - 310;
  r.latest = kTo - 290;
  r.confidence = 0.99;
  r.moved = {{0.5, 72.0}, {0.99, 51.0}};
  r.until = over ? kTo - 60 : 0;
  input.extras.regressions->push_back(r);
  input.extras.forecasts.emplace();
  Forecast f;
  f.of = {"nearzero_filesystem_bytes", {{"mount", "/var"}}, "value", "bytes"};
  f.what = "space of /var";
  f.value = 70e9;
  f.limit = 100e9;
  f.per_day = 2e9;
  f.earliest = kTo + 12 * 86400;
  f.likeliest = kTo + 15 * 86400;
  f.latest = kTo + 20 * 86400;
  input.extras.forecasts->push_back(f);
  analysis::SlowStatement s;
  s.at = kTo - 100;
  s.target = "demo";
  s.database = "/var/lib/demo/orders.db";
  s.digest = "aa01";
  s.sql = "SELECT max_quantity FROM risk_limits WHERE account = 'a''b'";
  s.stage = "risk";
  s.plan = "SCAN risk_limits";
  s.inside = 0.012;
  s.rows = 1;
  s.advice = {
      "CREATE INDEX risk_limits_account ON risk_limits(account) -- then: SEARCH risk_limits "
      "USING INDEX risk_limits_account"};
  input.details.slow_statements = {s};
  input.details.profile_seconds = 60;
  input.details.hot_functions = {
      {"demo", "trading::compute_signal(Book const&)", "nz-demo", 0.4, 0.38, 400},
      {"demo", "sqlite3VdbeExec", "libsqlite3.so.0", 0.2, std::nullopt, 200}};
  return input;
}

}  // namespace nz::report::testing
