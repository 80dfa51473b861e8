// The same rules for Prometheus: what PromQL can say, and that Prometheus' own tool accepts it.
#include "userspace/alerts/promql.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>

#include "userspace/alerts/test_scene.h"

namespace nz::alerts {
namespace {

using ::testing::HasSubstr;
using testing::rules_of;

std::string expression(const std::string& condition) {
  const auto rules = rules_of("rules:\n  - name: A\n    " + condition);
  const auto made = to_promql(rules.at(0));
  return made.at(0).expression;
}

TEST(PromQl, SaysTheSame) {
  EXPECT_EQ(expression("threshold: {series: nearzero_off, above: 0}"), "nearzero_off > 0");
  EXPECT_EQ(
      expression("threshold: {series: nearzero_drops_total, by: [probe], window: 2m, below: 10/s}"),
      "sum by (job, instance, probe) (rate(nearzero_drops_total[2m])) < 10");
  EXPECT_EQ(
      expression("threshold: {series: nearzero_host_cpus, statistic: max, window: 5m, above: 3}"),
      "max_over_time(nearzero_host_cpus[5m]) > 3");
  EXPECT_EQ(expression("threshold: {series: nearzero_target_threads, statistic: min, by: [target], "
                       "window: 5m, below: 3}"),
            "min by (job, instance, target) (min_over_time(nearzero_target_threads[5m])) < 3")
      << "as the agent: the least of them, not their sum";
  EXPECT_EQ(
      expression("threshold: {series: 'nearzero_order_stage_duration_seconds{stage=\"order\"}', "
                 "by: [target], window: 20s, above: 5ms}"),
      "(histogram_quantile(0.99, sum by (job, instance, target) "
      "(rate(nearzero_order_stage_duration_seconds{stage=\"order\"}[1m]))) or "
      "histogram_quantile(0.99, sum by (job, instance, target, le) "
      "(rate(nearzero_order_stage_duration_seconds_bucket{stage=\"order\"}[1m])))) > 0.005");
  EXPECT_EQ(
      expression("resource: {of: disk_space, above: 90%}"),
      "(1 - (sum by (job, instance, mount) (nearzero_filesystem_bytes{kind=\"available\"}) / "
      "(sum by (job, instance, mount) (nearzero_filesystem_bytes{kind=\"size\"}) > 0))) > 0.9");
  EXPECT_EQ(expression("absence: {series: 'nearzero_target_threads{target=\"a\"}'}"),
            "absent(nearzero_target_threads{target=\"a\"})");
  EXPECT_EQ(expression("absence: {series: 'nearzero_syscall_duration_seconds{target=\"a\"}', "
                       "window: 2m, least: 10}"),
            "(histogram_count(sum by (job, instance) "
            "(increase(nearzero_syscall_duration_seconds{target=\"a\"}[2m]))) or "
            "sum by (job, instance) "
            "(increase(nearzero_syscall_duration_seconds_count{target=\"a\"}[2m]))) < 10 or "
            "absent_over_time(nearzero_syscall_duration_seconds_count{target=\"a\"}[2m]) and "
            "absent_over_time(nearzero_syscall_duration_seconds{target=\"a\"}[2m])");
  EXPECT_EQ(expression("bottleneck: {kinds: [slow_sync, own_code], least_impact: 20%}"),
            "nearzero_bottleneck_impact_ratio{kind=~\"slow_sync|own_code\"} >= 0.2");
  EXPECT_THAT(
      expression("burn_rate: {objective: 99.9%, bad: nearzero_sqlite_statement_errors_total, "
                 "total: nearzero_sqlite_statements_total, by: [target]}"),
      HasSubstr(
          "(sum by (job, instance, target) (rate(nearzero_sqlite_statement_errors_total[1h])) / "
          "sum by (job, instance, target) (rate(nearzero_sqlite_statements_total[1h])) / 0.001) > "
          "14.4 and "));
}

TEST(PromQl, ForecastsAreStraightLines) {
  EXPECT_EQ(expression("forecast: {of: disk_space, within: 3d, where: 'mount!=\"/boot\"'}"),
            "sum by (job, instance, mount) (predict_linear(nearzero_filesystem_bytes{kind="
            "\"available\",mount!=\"/boot\"}[18h], 259200)) < 0");
  EXPECT_EQ(expression("forecast: {of: file_descriptors, within: 1h}"),
            "sum by (job, instance, target) (predict_linear(nearzero_target_open_files{kind="
            "\"used\"}[1h], 3600)) > sum by (job, instance, target) "
            "(nearzero_target_open_files{kind=\"limit\"})");
  EXPECT_EQ(expression("forecast: {series: 'nearzero_sqlite_database_bytes{kind=\"wal\"}', "
                       "above: 1GiB, within: 6h}"),
            "predict_linear(nearzero_sqlite_database_bytes{kind=\"wal\"}[90m], 21600) > "
            "1073741824");
  EXPECT_EQ(expression("forecast: {series: nearzero_drops_total, above: 10/s, within: 1d}"),
            "predict_linear((rate(nearzero_drops_total[1m]))[6h:1m], 86400) > 10");
}

TEST(PromQl, WhatItCannotSayIsAskedOfTheAgentAndNamed) {
  for (const char* condition :
       {"regression: {}", "anomaly: {}",
        "degradation: {series: nearzero_syscall_duration_seconds, above: 2x}"}) {
    const auto rules = rules_of("rules:\n  - name: A\n    " + std::string(condition));
    const auto made = to_promql(rules.at(0));
    ASSERT_EQ(made.size(), 1U);
    EXPECT_EQ(made[0].expression, "nearzero_alerts{rule=\"A\",state=\"firing\"} > 0");
    ASSERT_FALSE(made[0].notes.empty());
    const auto file = prometheus_file(rules, "f");
    EXPECT_THAT(file.yaml, HasSubstr("# " + made[0].notes[0]));
    EXPECT_THAT(file.notes, ::testing::Contains(HasSubstr("A: ")));
  }
}

TEST(PromQl, AnnotationsAreItsTemplates) {
  const auto rules = rules_of(
      "rules:\n  - name: A\n    threshold: {series: nearzero_sqlite_statement_duration_seconds, "
      "above: 5ms}\n"
      "    annotations: {summary: '{{ labels.statement }} takes {{ value }}, {{ limit }}; {{ cause "
      "}}'}\n");
  const auto file = prometheus_file(rules, "f");
  EXPECT_THAT(
      file.yaml,
      HasSubstr("summary: \"{{ $labels.statement }} takes {{ $value | humanizeDuration }}, above "
                "5 ms; (see nearzero alerts list)\""));
  EXPECT_THAT(file.notes, ::testing::Contains(HasSubstr("what the agent alone knows: cause")));
}

TEST(PromQl, TextsOfARatioAreInItsUnit) {
  const auto rules = rules_of(
      "rules:\n  - name: A\n    ratio: {of: {series: nearzero_disk_queue_seconds_total, statistic: "
      "increase}, to: {series: nearzero_disk_operations_total, statistic: increase}, above: 5ms}\n"
      "    annotations: {summary: '{{ value }}, {{ limit }}'}\n");
  EXPECT_THAT(prometheus_file(rules, "f").yaml,
              HasSubstr("summary: \"{{ $value | humanizeDuration }}, above 5 ms\""));
}

TEST(PromQl, SaysWhereAMissingCounterIsNoZero) {
  const auto noted = [](const std::string& rest) {
    const auto rules = rules_of(
        "rules:\n  - name: A\n    ratio: {of: {series: nearzero_disk_queue_seconds_total, "
        "statistic: increase}, to: {series: nearzero_disk_operations_total, "
        "statistic: increase}, " +
        rest + "}\n");
    const auto made = to_promql(rules.at(0));
    for (const std::string& note : made.at(0).notes) {
      if (note.find("was never counted") != std::string::npos) return true;
    }
    return false;
  };
  EXPECT_TRUE(noted("below: 5ms"));
  EXPECT_FALSE(noted("above: 5ms")) << "0 is not above";
}

int promtool(const std::string& yaml) {
  const std::string path = ::testing::TempDir() + "nz_alerts.yml";
  std::ofstream(path) << yaml;
  // Also what only its lint finds, such as two rules that are one.
  return std::system(("promtool check rules --lint-fatal " + path + " >/dev/null").c_str());
}

TEST(PromQl, PassesPromtool) {
  const RuleFile shipped = load_rules({std::string(NZ_SOURCE) + "/configs/alerts.yaml"});
  ASSERT_TRUE(shipped.problems.empty()) << shipped.problems[0];
  EXPECT_EQ(promtool(prometheus_file(shipped.rules, "configs/alerts.yaml").yaml), 0);
  EXPECT_EQ(promtool(prometheus_file({}, "nothing").yaml), 0);
  const auto odd = rules_of(R"(
rules:
  - name: Odd
    threshold: {series: 'nearzero_target_threads{target=~"a\\d+|\"b\""}', above: -1.5}
    for: 250ms
    labels: {text: "a \"b\" {{ c }} \\ '"}
    annotations: {summary: "{ {{value}} } } # : '"}
  - name: Mean
    threshold: {series: nearzero_syscall_duration_seconds, statistic: mean, by: [], above: 1ms}
  - name: Most
    threshold: {series: nearzero_syscall_duration_seconds, statistic: max, above: 1s}
  - name: Rate
    threshold: {series: nearzero_syscall_duration_seconds, statistic: rate, above: 10/s}
  - name: Quiet
    absence: {series: 'nearzero_syscall_duration_seconds{target="a"}', least: 10}
  - name: Fills
    forecast: {of: memory, within: 1d}
  - name: Slower
    forecast: {series: nearzero_syscall_duration_seconds, statistic: p99, above: 5ms, within: 7d}
  - name: Absent
    absence: {series: 'nearzero_syscall_duration_seconds{target="a"}'}
  - name: Slow
    burn_rate: {objective: 99.9%, series: nearzero_syscall_duration_seconds, slower_than: 5ms, by: [target]}
)");
  EXPECT_EQ(promtool(prometheus_file(odd, "odd").yaml), 0) << prometheus_file(odd, "odd").yaml;
}

}  // namespace
}  // namespace nz::alerts
