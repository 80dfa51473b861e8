// What each kind of condition says of a scene.
#include "userspace/alerts/judge.h"

#include <gmock/gmock.h>

#include <cmath>

#include "userspace/alerts/alert.h"
#include "userspace/alerts/resource.h"
#include "userspace/alerts/test_scene.h"

namespace nz::alerts {
namespace {

using ::testing::HasSubstr;
using testing::kNow;
using testing::rules_of;
using testing::Scene;

class Judge : public ::testing::Test {
 protected:
  Verdict verdict(const std::string& condition, bool firing = false) {
    rules_ = rules_of("rules:\n  - name: A\n    " + condition);
    windows_.plan(rules_);
    windows_.begin(scene, kNow);
    return judge(rules_.at(0),
                 {scene, windows_, kNow, [firing](const std::string&) { return firing; }});
  }
  static std::size_t holding(const Verdict& verdict) {
    std::size_t n = 0;
    for (const Observation& o : verdict.observations) n += o.known ? 1 : 0;
    return n;
  }
  Scene scene;

 private:
  std::vector<Rule> rules_;
  Windows windows_;
};

TEST_F(Judge, ThresholdOfAQuantileByLabel) {
  const std::string kStage = "nearzero_order_stage_duration_seconds";
  scene.histogram(kStage, {{"target", "a"}, {"stage", "order"}}, 900, 1'000'000, 100, 20'000'000);
  scene.histogram(kStage, {{"target", "a"}, {"stage", "risk"}}, 1000, 10'000);
  scene.histogram(kStage, {{"target", "b"}, {"stage", "order"}}, 0, 0);
  const auto v = verdict("threshold: {series: " + kStage + ", statistic: p99, above: 5ms}");
  ASSERT_EQ(v.observations.size(), 2U) << "one holds, of one nothing is known";
  const Observation& o = v.observations[0];
  EXPECT_EQ(value_of(o.labels, "stage"), "order");
  EXPECT_EQ(value_of(o.labels, "target"), "a");
  EXPECT_NEAR(o.value, 0.020, 0.020 * 0.045);
  EXPECT_EQ(o.unit, "seconds");
  EXPECT_EQ(o.fields.at("limit"), "above 5 ms");
  EXPECT_THAT(o.fields.at("quantity"),
              HasSubstr("p99 of nearzero_order_stage_duration_seconds over 1m"));
  EXPECT_FALSE(v.observations[1].known) << "nothing was recorded: neither slow nor fast";
}

TEST_F(Judge, ThresholdOfSeriesTakenTogether) {
  scene.counter("nearzero_drops_total", {{"probe", "a"}, {"cause", "x"}}, 300);
  scene.counter("nearzero_drops_total", {{"probe", "a"}, {"cause", "y"}}, 330);
  scene.counter("nearzero_drops_total", {{"probe", "b"}, {"cause", "y"}}, 30);
  EXPECT_EQ(holding(verdict("threshold: {series: nearzero_drops_total, above: 10/s}")), 0U);
  const auto v = verdict("threshold: {series: nearzero_drops_total, by: [probe], above: 10/s}");
  ASSERT_EQ(holding(v), 1U);
  EXPECT_DOUBLE_EQ(v.observations[0].value, 10.5);
  EXPECT_EQ(v.observations[0].labels, (analysis::Labels{{"probe", "a"}}));
  const auto all =
      verdict("threshold: {series: nearzero_drops_total, statistic: increase, by: [], above: 600}");
  ASSERT_EQ(holding(all), 1U);
  EXPECT_DOUBLE_EQ(all.observations[0].value, 660);
}

TEST_F(Judge, ThresholdWithHysteresis) {
  scene.gauge("nearzero_target_threads", {{"target", "a"}}, 45);
  const std::string kRule = "threshold: {series: nearzero_target_threads, above: 50, clear: 40}";
  EXPECT_EQ(holding(verdict(kRule, false)), 0U);
  EXPECT_EQ(holding(verdict(kRule, true)), 1U) << "it ends below 40 only";
}

TEST_F(Judge, MinAndMaxOfGauges) {
  scene.gauge("nearzero_target_threads", {{"target", "a"}}, 5);
  scene.series.back().most = 80;
  scene.series.back().least = 1;
  EXPECT_EQ(holding(verdict("threshold: {series: nearzero_target_threads, above: 50}")), 0U);
  EXPECT_EQ(
      holding(verdict("threshold: {series: nearzero_target_threads, statistic: max, above: 50}")),
      1U);
  EXPECT_EQ(
      holding(verdict("threshold: {series: nearzero_target_threads, statistic: min, below: 2}")),
      1U);
}

TEST_F(Judge, NothingIsSaidOfAShortHistory) {
  scene.gauge("nearzero_off", {}, 1);
  scene.covered = 20;
  const auto v = verdict("threshold: {series: nearzero_off, above: 0}");
  EXPECT_FALSE(v.known);
  EXPECT_THAT(v.unknown, HasSubstr("covers 20 s of the last 1m"));
  scene.covered = 40;
  EXPECT_TRUE(verdict("threshold: {series: nearzero_off, above: 0}").known);
}

TEST_F(Judge, RatioOfWhatIsZeroIsNotKnown) {
  const std::string kRule =
      "ratio: {of: {series: nearzero_tcp_retransmits_total, statistic: increase}, "
      "to: {series: nearzero_sqlite_opens_total, statistic: increase}, above: 10%, least: 10}";
  scene.counter("nearzero_tcp_retransmits_total", {{"target", "zero"}}, 5);
  scene.counter("nearzero_sqlite_opens_total", {{"target", "zero"}}, 0);
  scene.counter("nearzero_tcp_retransmits_total", {{"target", "few"}}, 5);
  scene.counter("nearzero_sqlite_opens_total", {{"target", "few"}}, 10);
  scene.counter("nearzero_tcp_retransmits_total", {{"target", "many"}}, 50);
  scene.counter("nearzero_sqlite_opens_total", {{"target", "many"}}, 100);
  scene.counter("nearzero_sqlite_opens_total", {{"target", "never"}}, 100);
  const auto v = verdict(kRule);
  EXPECT_THAT(v.unknown, HasSubstr("the second figure is 0, not above 10"));
  EXPECT_THAT(v.unknown, HasSubstr("or set `least`"));
  ASSERT_EQ(holding(v), 1U);
  for (const Observation& o : v.observations) {
    EXPECT_EQ(o.known, value_of(o.labels, "target") == "many") << value_of(o.labels, "target");
    if (o.known) {
      EXPECT_DOUBLE_EQ(o.value, 0.5);
    }
  }
}

TEST_F(Judge, ARatioWhoseSecondFigureIsGoneIsNotKnown) {
  const std::string kRule =
      "ratio: {of: {series: nearzero_tcp_retransmits_total, statistic: increase}, "
      "to: {series: nearzero_sqlite_opens_total, statistic: increase}, above: 10%}";
  scene.counter("nearzero_tcp_retransmits_total", {{"target", "a"}}, 5);
  EXPECT_TRUE(verdict(kRule).observations.empty()) << "no news for what does not fire";
  const auto v = verdict(kRule, true);
  ASSERT_EQ(v.observations.size(), 1U);
  EXPECT_FALSE(v.observations[0].known) << "what fires does not end by that";
  EXPECT_THAT(v.unknown, HasSubstr("the second figure is missing"));
}

TEST_F(Judge, ResourcesAreRatios) {
  scene.gauge("nearzero_filesystem_bytes", {{"mount", "/"}, {"device", "sda"}, {"kind", "size"}},
              100);
  scene.gauge("nearzero_filesystem_bytes", {{"mount", "/"}, {"device", "sda"}, {"kind", "free"}},
              9);
  scene.gauge("nearzero_filesystem_bytes",
              {{"mount", "/"}, {"device", "sda"}, {"kind", "available"}}, 4);
  const auto v = verdict("resource: {of: disk_space, above: 95%}");
  ASSERT_EQ(holding(v), 1U);
  EXPECT_DOUBLE_EQ(v.observations[0].value, 0.96);
  EXPECT_EQ(v.observations[0].labels, (analysis::Labels{{"mount", "/"}}));
  EXPECT_EQ(v.observations[0].fields.at("value"), "96 %");
  for (const std::string& name : resource_names())
    EXPECT_TRUE(verdict("resource: {of: " + name + ", above: 50%}").known) << name;
}

TEST_F(Judge, ForecastsByTheMomentThatIsAskedFor) {
  analysis::LimitForecast f;
  f.of = {"nearzero_filesystem_bytes", {{"mount", "/var"}}, "value", "bytes"};
  f.what = "space of /var";
  f.value = 80e9;
  f.limit = 100e9;
  f.per_day = 10e9;
  f.earliest = kNow + 1.5 * 86400;
  f.likeliest = kNow + 2 * 86400;
  f.subject = "disk_space";
  scene.ahead = {f};
  const auto v = verdict("forecast: {of: disk_space, within: 50h}");
  ASSERT_EQ(holding(v), 1U);
  EXPECT_EQ(v.observations[0].labels, (analysis::Labels{{"mount", "/var"}}));
  EXPECT_DOUBLE_EQ(v.observations[0].value, 2 * 86400);
  EXPECT_EQ(v.observations[0].fields.at("left"), "2.0 d");
  EXPECT_EQ(v.observations[0].fields.at("latest"), "not in sight");
  EXPECT_EQ(holding(verdict("forecast: {of: disk_space, within: 46h}")), 0U);
  EXPECT_EQ(holding(verdict("forecast: {of: disk_space, within: 46h, moment: earliest}")), 1U);
  EXPECT_EQ(holding(verdict("forecast: {of: disk_space, within: 30d, moment: latest}")), 0U);
  EXPECT_EQ(holding(verdict("forecast: {of: inodes, within: 30d}")), 0U);
  EXPECT_EQ(holding(verdict("forecast: {of: disk_space, within: 30d, where: 'mount=\"/\"'}")), 0U);
  scene.judged = false;
  EXPECT_FALSE(verdict("forecast: {of: disk_space, within: 30d}").known);
  for (const std::string& name : forecast_names())
    EXPECT_FALSE(verdict("forecast: {of: " + name + ", within: 1d}").known) << name;
}

TEST_F(Judge, DegradationAgainstABaseline) {
  const std::string kName = "nearzero_syscall_duration_seconds";
  scene.histogram(kName, {{"target", "a"}, {"syscall", "read"}}, 1000, 2'000'000);
  const std::string kRule =
      "degradation: {series: " + kName + ", statistic: p50, above: 1.5x, least_difference: 500us}";
  const auto none = verdict(kRule);
  EXPECT_EQ(holding(none), 0U);
  EXPECT_THAT(none.unknown, HasSubstr("no baseline 'hour_of_week'"));
  scene.usual["hour_of_week"] = {0.001, 0.0001};
  const auto v = verdict(kRule);
  ASSERT_EQ(holding(v), 1U);
  EXPECT_EQ(v.observations[0].fields.at("usual"), "1 ms");
  EXPECT_THAT(v.observations[0].fields.at("factor"), HasSubstr("x"));
  scene.usual["hour_of_week"] = {0.001, 0.0005};
  EXPECT_EQ(holding(verdict(kRule)), 0U) << "2 of 3 spreads away";
  EXPECT_EQ(holding(verdict(kRule, true)), 1U) << "half of it keeps it firing";
  scene.usual["hour_of_week"] = {0.0015, 0};
  EXPECT_EQ(holding(verdict(kRule)), 0U) << "not 1.5 times";
  scene.usual["hour_of_week"] = {0, 0};
  EXPECT_EQ(holding(verdict(kRule)), 1U) << "from nothing";
  scene.usual["before"] = {0.01, 0};
  EXPECT_EQ(holding(verdict("degradation: {series: " + kName +
                            ", statistic: p50, baseline: before, below: 2x}")),
            1U);
}

analysis::Regression regression() {
  analysis::Regression r;
  r.id = "r1";
  r.of = {"nearzero_order_stage_duration_seconds",
          {{"target", "demo"}, {"stage", "risk"}},
          "p99",
          "seconds"};
  r.before = 0.001;
  r.after = 0.003;
  r.since = kNow - 300;
  r.earliest = kNow - 330;
  r.latest = kNow - 290;
  r.confidence = 0.97;
  r.moved = {{0.5, 1.1}, {0.99, 3}};
  r.events = {{kNow - 301, "new_build", "demo", "demo has a new build"}};
  return r;
}

TEST_F(Judge, RegressionNamesStageStatementStartAndCause) {
  scene.changed = {regression()};
  analysis::Finding cause;
  cause.id = "slow_statement/demo/1";
  cause.kind = "slow_statement";
  cause.target = "demo";
  cause.title = "SELECT max_quantity ... scans risk_limits";
  cause.recommendation = "CREATE INDEX ...";
  scene.open = {cause};
  const auto v = verdict(
      "regression: {series: nearzero_order_stage_duration_seconds, least_change: 20%, "
      "least_confidence: 95%}");
  ASSERT_EQ(holding(v), 1U);
  const Observation& o = v.observations[0];
  EXPECT_EQ(o.key, "r1");
  EXPECT_EQ(o.since, kNow - 300);
  EXPECT_EQ(value_of(o.labels, "stage"), "risk");
  EXPECT_EQ(value_of(o.labels, "statistic"), "p99");
  EXPECT_EQ(o.fields.at("before"), "1 ms");
  EXPECT_EQ(o.fields.at("after"), "3 ms");
  EXPECT_EQ(o.fields.at("change"), "+200 %");
  EXPECT_EQ(o.fields.at("quantiles"), "p50 1.1x, p99 3x");
  EXPECT_THAT(o.fields.at("events"), HasSubstr("demo has a new build"));
  EXPECT_EQ(o.fields.at("cause"), cause.title);
  EXPECT_EQ(o.fields.at("recommendation"), "CREATE INDEX ...");
}

TEST_F(Judge, RegressionsAreFiltered) {
  const auto count = [this](const std::string& keys) {
    return holding(verdict("regression: {" + keys + "}"));
  };
  scene.changed = {regression()};
  EXPECT_EQ(count("least_confidence: 98%"), 0U);
  EXPECT_EQ(count("least_change: 250%"), 0U);
  EXPECT_EQ(count("statistic: p50"), 0U);
  EXPECT_EQ(count("series: nearzero_syscall_duration_seconds"), 0U);
  EXPECT_EQ(count("series: 'nearzero_order_stage_duration_seconds{stage=\"risk\"}'"), 1U);
  scene.changed[0].worse = false;
  EXPECT_EQ(count(""), 0U);
  EXPECT_EQ(count("worse_only: false"), 1U);
  scene.changed[0].worse = true;
  scene.changed[0].before = 0;
  EXPECT_EQ(count("least_change: 1000%"), 1U) << "from nothing is more than any share";
  scene.changed[0].state = analysis::FindingState::resolved;
  EXPECT_EQ(count(""), 0U);
  scene.judged = false;
  EXPECT_FALSE(verdict("regression: {}").known);
}

TEST_F(Judge, AnomaliesComeAsIncidents) {
  analysis::Incident incident;
  incident.id = "i1";
  incident.since = kNow - 60;
  incident.members = {
      {{"nearzero_offcpu_seconds", {{"target", "a"}, {"reason", "disk"}}, "p99", "seconds"},
       kNow,
       0.1,
       0.01,
       0.99},
      {{"nearzero_disk_in_flight", {{"device", "sda"}}, "value", ""}, kNow, 40, 2, 0.97}};
  scene.strange = {incident};
  const auto v = verdict("anomaly: {least_score: 98%, least_members: 2}");
  ASSERT_EQ(holding(v), 1U);
  EXPECT_EQ(value_of(v.observations[0].labels, "reason"), "disk") << "the root's";
  EXPECT_EQ(v.observations[0].fields.at("expected"), "10 ms");
  EXPECT_THAT(v.observations[0].fields.at("members"), HasSubstr("nearzero_disk_in_flight"));
  EXPECT_EQ(holding(verdict("anomaly: {least_members: 3}")), 0U);
  EXPECT_EQ(holding(verdict("anomaly: {least_score: 99.5%}")), 0U);
  EXPECT_EQ(holding(verdict("anomaly: {series: nearzero_disk_in_flight}")), 1U);
  EXPECT_EQ(holding(verdict("anomaly: {series: nearzero_off}")), 0U);
  scene.strange[0].until = kNow - 1;
  EXPECT_EQ(holding(verdict("anomaly: {}")), 0U);
}

TEST_F(Judge, BottlenecksByKindPlaceAndWeight) {
  analysis::Finding f;
  f.id = "cpu_saturation/demo";
  f.kind = "cpu_saturation";
  f.target = "demo";
  f.where = "CPU 0";
  f.title = "Orders wait for CPU 0";
  f.severity = Severity::critical;
  f.impact = 0.7;
  f.confidence = 0.8;
  scene.open = {f};
  const auto v = verdict("bottleneck: {least_severity: warning}");
  ASSERT_EQ(holding(v), 1U);
  EXPECT_EQ(v.observations[0].severity, Severity::critical) << "as found";
  EXPECT_EQ(v.observations[0].fields.at("title"), "Orders wait for CPU 0");
  EXPECT_EQ(v.observations[0].labels,
            (analysis::Labels{{"target", "demo"}, {"kind", "cpu_saturation"}, {"where", "CPU 0"}}));
  EXPECT_EQ(verdict("severity: info\n    bottleneck: {}").observations[0].severity, Severity::info);
  EXPECT_EQ(holding(verdict("bottleneck: {kinds: [slow_sync]}")), 0U);
  EXPECT_EQ(holding(verdict("bottleneck: {kinds: [slow_sync, cpu_saturation]}")), 1U);
  EXPECT_EQ(holding(verdict("bottleneck: {least_impact: 80%}")), 0U);
  EXPECT_EQ(holding(verdict("bottleneck: {least_confidence: 90%}")), 0U);
  EXPECT_EQ(holding(verdict("bottleneck: {where: 'target=\"other\"'}")), 0U);
  EXPECT_EQ(holding(verdict("bottleneck: {where: 'where=~\"CPU .*\"'}")), 1U);
}

TEST_F(Judge, TheCauseIsOfTheSameTargetOrOfTheHost) {
  analysis::Finding slow, disk;
  slow.target = disk.target = "demo";
  slow.title = "slow statement";
  disk.where = "host disk sda";
  disk.title = "a busy disk";
  scene.open = {slow, disk};
  scene.gauge("nearzero_off", {}, 1);
  const std::string kHost = "threshold: {series: nearzero_off, above: 0}";
  EXPECT_EQ(verdict(kHost).observations.at(0).fields.at("cause"), "a busy disk");
  scene.open = {slow};
  EXPECT_FALSE(verdict(kHost).observations.at(0).fields.contains("cause"))
      << "a service's statement is no cause of what the host does";
  scene.gauge("nearzero_target_threads", {{"target", "demo"}}, 9);
  scene.gauge("nearzero_target_threads", {{"target", "other"}}, 9);
  const auto v = verdict("threshold: {series: nearzero_target_threads, above: 0}");
  ASSERT_EQ(holding(v), 2U);
  EXPECT_EQ(v.observations[0].fields.at("cause"), "slow statement");
  EXPECT_FALSE(v.observations[1].fields.contains("cause"));
}

TEST_F(Judge, Absence) {
  const std::string kRule =
      "absence: {series: 'nearzero_target_threads{target=\"a\"}', window: 1m}";
  auto v = verdict(kRule);
  ASSERT_EQ(holding(v), 1U);
  EXPECT_EQ(v.observations[0].labels, (analysis::Labels{{"target", "a"}}));
  scene.gauge("nearzero_target_threads", {{"target", "a"}}, 0);
  EXPECT_EQ(holding(verdict(kRule)), 0U);
  const std::string kQuiet =
      "absence: {series: nearzero_order_stage_duration_seconds, window: 1m, least: 10}";
  EXPECT_EQ(holding(verdict(kQuiet)), 1U);
  scene.histogram("nearzero_order_stage_duration_seconds", {{"stage", "a"}}, 9, 1000);
  EXPECT_EQ(holding(verdict(kQuiet)), 1U);
  scene.histogram("nearzero_order_stage_duration_seconds", {{"stage", "b"}}, 1, 1000);
  EXPECT_EQ(holding(verdict(kQuiet)), 0U);
  scene.series.clear();
  scene.covered = 45;
  EXPECT_FALSE(verdict(kQuiet).known) << "it has not been watched for a minute";
  EXPECT_TRUE(verdict(kRule).known) << "of a gauge the engine waits";
}

TEST_F(Judge, BurnRateNeedsBothWindows) {
  const std::string kRule =
      "burn_rate: {objective: 99%, bad: nearzero_sqlite_statement_errors_total, "
      "total: nearzero_sqlite_statements_total, by: [target], "
      "windows: [{long: 1h, short: 5m, burn: 10}]}";
  scene.counter("nearzero_sqlite_statement_errors_total", {{"target", "a"}, {"digest", "1"}}, 12);
  scene.counter("nearzero_sqlite_statements_total", {{"target", "a"}, {"digest", "1"}}, 60);
  scene.counter("nearzero_sqlite_statements_total", {{"target", "a"}, {"digest", "2"}}, 40);
  scene.counter("nearzero_sqlite_statements_total", {{"target", "b"}, {"digest", "2"}}, 40);
  const auto v = verdict(kRule);
  ASSERT_EQ(holding(v), 1U);
  EXPECT_NEAR(v.observations[0].value, 12, 1e-9) << "12 % bad, 1 % allowed";
  EXPECT_EQ(value_of(v.observations[0].labels, "window"), "1h");
  // Half of the hour has been watched: the rest counts as good.
  scene.covered = 1800;
  EXPECT_EQ(holding(verdict(kRule)), 0U);
  scene.series.clear();
  scene.covered = 1e9;
  scene.counter("nearzero_sqlite_statements_total", {{"target", "a"}}, 0);
  EXPECT_EQ(holding(verdict(kRule)), 0U) << "nothing happened: nothing is burnt";
}

TEST_F(Judge, BurnRateDoesNotWaitForItsLongestWindow) {
  const std::string kRule =
      "burn_rate: {objective: 99%, bad: nearzero_sqlite_statement_errors_total, "
      "total: nearzero_sqlite_statements_total, by: [target]}";
  scene.counter("nearzero_sqlite_statement_errors_total", {{"target", "a"}}, 50);
  scene.counter("nearzero_sqlite_statements_total", {{"target", "a"}}, 100);
  scene.covered = 3600;  // 1h/5m and 6h/30m can be judged, 3d/6h cannot
  const auto v = verdict(kRule);
  EXPECT_TRUE(v.known);
  EXPECT_EQ(holding(v), 2U);
  EXPECT_THAT(v.unknown, HasSubstr("of the last 6h"));
  ASSERT_EQ(v.observations.size(), 3U);
  EXPECT_FALSE(v.observations[2].known) << "an alert of three days goes on";
  scene.covered = 100;
  EXPECT_FALSE(verdict(kRule).known) << "not even five minutes";
}

TEST_F(Judge, BurnRateOfAHistogramCountsWhatIsSlower) {
  const std::string kName = "nearzero_order_stage_duration_seconds";
  scene.histogram(kName, {{"stage", "order"}}, 90, 4'000'000, 10, 9'000'000);
  const auto burn = [&](const char* limit) {
    const auto v =
        verdict("burn_rate: {objective: 99%, series: " + kName + ", slower_than: " + limit +
                ", windows: [{long: 1h, short: 5m, burn: 1}]}");
    return holding(v) == 1 ? v.observations[0].value : 0.0;
  };
  EXPECT_NEAR(burn("5ms"), 10, 1e-9);
  EXPECT_NEAR(burn("1ms"), 100, 1e-9);
  EXPECT_EQ(burn("10ms"), 0);
  EXPECT_EQ(burn("9999m"), 0);
  EXPECT_NEAR(burn("1ns"), 100, 1e-9);
}

TEST(Windows, AreReadOnceAStepAndLongOnesSeldom) {
  const auto rules = rules_of(R"(
rules:
  - {name: A, threshold: {series: nearzero_off, above: 0}}
  - {name: B, threshold: {series: nearzero_host_cpus, above: 0}}
  - {name: C, threshold: {series: nearzero_host_cpus, statistic: max, window: 1h, above: 0}}
)");
  Scene scene;
  Windows windows;
  windows.plan(rules);
  for (int step = 0; step < 12; step++) {
    windows.begin(scene, kNow + 10 * step);
    windows.get(60);
    windows.get(60);
    windows.get(3600);
  }
  EXPECT_EQ(scene.asked, 12U + 4U) << "the hour is kept for 30 s";
  EXPECT_EQ(windows.get(7).seconds(), 0) << "nobody has planned it";
}

}  // namespace
}  // namespace nz::alerts
