// What a rule file means, and what is said about one that means nothing.
#include "userspace/alerts/rule_file.h"

#include <gmock/gmock.h>

#include <fstream>
#include <iterator>

#include "userspace/alerts/rule_reader.h"

namespace nz::alerts {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string kGood = R"(
  - name: Good
    threshold: {series: nearzero_off, above: 0}
)";

struct Bad {
  const char* yaml;
  std::vector<const char*> says;
};
class EachMistake : public testing::TestWithParam<Bad> {};

TEST_P(EachMistake, IsNamedOnceWithItsPlaceAndTheOthersRun) {
  const RuleFile file = parse_rules(std::string(GetParam().yaml) + kGood, "f");
  ASSERT_EQ(file.problems.size(), 1U) << GetParam().yaml << testing::PrintToString(file.problems);
  for (const char* part : GetParam().says)
    EXPECT_THAT(file.problems[0], HasSubstr(part)) << GetParam().yaml;
  EXPECT_THAT(file.problems[0], testing::StartsWith("f:")) << "place";
  EXPECT_THAT(file.problems[0], HasSubstr(" (")) << "remedy";
  EXPECT_EQ(file.bad_rules, 1U);
  ASSERT_EQ(file.rules.size(), 1U) << "one bad rule never stops the others";
  EXPECT_EQ(file.rules[0].name, "Good");
}

#define R1(lines) "rules:\n  - name: A\n" lines

INSTANTIATE_TEST_SUITE_P(
    Keys, EachMistake,
    testing::Values(
        Bad{R1("    thresold: {series: nearzero_off, above: 0}\n"
               "    threshold: {series: nearzero_off, above: 0}\n"),
            {"f:3:5: unknown key 'thresold'", "did you mean 'threshold'?"}},
        Bad{R1("    severity: warning\n"), {"f:2:5: rules[0]: needs 'threshold', or 'ratio'"}},
        Bad{R1("    threshold: {series: nearzero_off, above: 0}\n"
               "    absence: {series: nearzero_off}\n"),
            {"exclude each other"}},
        Bad{R1("    threshold: {series: nearzero_off}\n"), {"needs 'above', or 'below'"}},
        Bad{R1("    threshold: {series: nearzero_off, above: 0, below: 1}\n"),
            {"'above' and 'below' exclude each other"}},
        Bad{R1("    threshold: {above: 0}\n"), {"'series' is missing", "nearzero_"}},
        Bad{"rules:\n  - name: 7up\n    threshold: {series: nearzero_off, above: 0}\n",
            {"f:2:11:", "does not begin with a digit"}},
        Bad{R1("    threshold: {series: nearzero_off, above: 0}\n    severity: fatal\n"),
            {"is not one of info, warning, critical"}},
        Bad{R1("    threshold: {series: nearzero_off, above: 0}\n    for: 30\n"),
            {"expected a text, found the number 30", "30s"}},
        Bad{R1("    threshold: {series: nearzero_off, above: 0}\n    for: 30 s\n"),
            {"is not a time"}},
        Bad{R1("    threshold: {series: nearzero_off, above: 0}\n    for: 8d\n"),
            {"8d is out of range, must be 0ms to 7d"}},
        Bad{R1("    threshold: {series: nearzero_off, above: 0}\n    labels: {team: ''}\n"),
            {"rules[0].labels.team: is empty"}},
        Bad{R1("    threshold: {series: nearzero_off, above: 0}\n    labels: {severity: x}\n"),
            {"is set by the rule itself"}},
        Bad{R1("    threshold: {series: nearzero_off, above: 0}\n    labels: {a-b: x}\n"),
            {"is no name of a label"}},
        Bad{R1("    threshold: {series: nearzero_off, above: 0}\n    annotations: {a b: x}\n"),
            {"is no name of an annotation"}},
        Bad{R1("    threshold: {series: nearzero_off, above: 0}\n    receivers: [nobody]\n"),
            {"has no receiver 'nobody'", "add it"}}));

INSTANTIATE_TEST_SUITE_P(
    Series, EachMistake,
    testing::Values(
        Bad{R1("    threshold: {series: nearzero_of, above: 0}\n"),
            {"there is no series 'nearzero_of'", "did you mean 'nearzero_off'?"}},
        Bad{R1("    threshold: {series: zzzz, above: 0}\n"), {"there is no series 'zzzz'"}},
        Bad{R1("    threshold:\n      series: nearzero_off{\n      above: 0\n"),
            {"f:4:15:", "expected the name of a label at character"}},
        Bad{R1("    threshold:\n      series: nearzero_target_threads{targe=\"a\"}\n      above: "
               "0\n"),
            {"has no label 'targe'", "did you mean 'target'?"}},
        Bad{R1("    threshold: {series: nearzero_target_threads, by: [zzzz], above: 0}\n"),
            {"f:3:", "by[0]: nearzero_target_threads has no label 'zzzz'", "it has target"}},
        Bad{R1("    threshold:\n      series: nearzero_target_threads{target=~\"(\"}\n      above: "
               "0\n"),
            {"no regular expression"}},
        Bad{R1("    threshold: {series: nearzero_target_threads, statistic: p99, above: 0}\n"),
            {"has no 'p99'", "a gauge has value, min and max"}},
        Bad{R1("    threshold: {series: nearzero_drops_total, statistic: value, above: 0}\n"),
            {"a counter only grows"}},
        Bad{R1("    threshold: {series: nearzero_syscall_duration_seconds, statistic: value, "
               "above: 0}\n"),
            {"a histogram has no single value"}},
        Bad{R1("    threshold: {series: nearzero_syscall_duration_seconds, statistic: p101, above: "
               "1s}\n"),
            {"is no quantile"}},
        Bad{R1("    threshold: {series: nearzero_syscall_duration_seconds, statistic: q99, above: "
               "1s}\n"),
            {"is not a statistic"}},
        Bad{R1("    threshold: {series: nearzero_off, above: 0, window: 5s}\n"),
            {"5s is out of range, must be 10s to 31d"}}));

INSTANTIATE_TEST_SUITE_P(
    Amounts, EachMistake,
    testing::Values(
        Bad{R1("    threshold: {series: nearzero_map_memory_bytes, above: 5ms}\n"),
            {"'5ms' is a time, and the quantity is in bytes"}},
        Bad{R1("    threshold: {series: nearzero_syscall_duration_seconds, above: 90%}\n"),
            {"'90%' is a share, and the quantity is in seconds"}},
        Bad{R1("    threshold: {series: nearzero_off, above: 5 ms}\n"), {"is not an amount"}},
        Bad{R1("    threshold: {series: nearzero_off, above: [1]}\n"),
            {"expected a number or a text, found a list"}},
        Bad{R1("    threshold: {series: nearzero_off, above: 5, clear: 6}\n"),
            {"is on the wrong side of 'above'"}},
        Bad{R1("    threshold: {series: nearzero_off, below: 5, clear: 4}\n"),
            {"is on the wrong side of 'below'"}},
        Bad{R1("    degradation: {series: nearzero_syscall_duration_seconds, above: 0.5x}\n"),
            {"is below 1x"}},
        Bad{R1("    degradation: {series: nearzero_syscall_duration_seconds, above: 2}\n"),
            {"expected a text, found the number 2", "1.5x"}},
        Bad{R1("    resource: {of: disk_space, above: 90}\n"), {"90 is out of range"}},
        Bad{R1("    resource: {of: disk_spac, above: 90%}\n"), {"did you mean 'disk_space'?"}},
        Bad{R1("    resource: {of: disk_space, where: 'target=\"a\"', above: 90%}\n"),
            {"there is no label 'target'", "there are mount"}},
        Bad{R1("    ratio:\n      of: {series: nearzero_drops_total}\n      to: {series: "
               "nearzero_of}\n"
               "      above: 1\n"),
            {"f:5:20: rules[0].ratio.to.series: there is no series 'nearzero_of'"}},
        Bad{R1("    regression: {least_confidence: 150%}\n"),
            {"rules[0].regression.least_confidence"}},
        Bad{R1("    anomaly: {least_members: 0}\n"), {"must be at least 1"}},
        Bad{R1("    bottleneck: {kinds: [slow_statment]}\n"), {"did you mean 'slow_statement'?"}},
        Bad{R1("    bottleneck: {where: 'stage=\"a\"'}\n"), {"there is no label 'stage'"}},
        Bad{R1("    absence: {series: nearzero_off, least: 1}\n"), {"a gauge does not grow"}}));

INSTANTIATE_TEST_SUITE_P(
    BurnRate, EachMistake,
    testing::Values(
        Bad{R1("    burn_rate: {objective: 99.9%, series: nearzero_syscall_duration_seconds}\n"),
            {"'series' without 'slower_than'"}},
        Bad{R1("    burn_rate: {objective: 100%, bad: nearzero_drops_total, total: "
               "nearzero_drops_total}\n"),
            {"there is no budget to burn"}},
        Bad{R1("    burn_rate: {objective: 99%, series: nearzero_off, slower_than: 5ms}\n"),
            {"nearzero_off is not a histogram"}},
        Bad{R1("    burn_rate: {objective: 99%, bad: nearzero_off, total: nearzero_drops_total}\n"),
            {"nearzero_off is not a counter"}},
        Bad{R1("    burn_rate:\n      objective: 99%\n      bad: nearzero_drops_total\n"
               "      total: nearzero_drops_total\n"
               "      windows: [{long: 5m, short: 5m, burn: 2}]\n"),
            {"windows[0].short: is not shorter than 'long'"}},
        Bad{R1("    burn_rate:\n      objective: 99%\n      bad: nearzero_drops_total\n"
               "      total: nearzero_drops_total\n      windows: []\n"),
            {"0 entries, at least 1"}}));

INSTANTIATE_TEST_SUITE_P(
    Templates, EachMistake,
    testing::Values(Bad{R1("    threshold: {series: nearzero_off, above: 0}\n"
                           "    annotations: {summary: 'it is {{ valeu }}'}\n"),
                        {"f:4:28:", "nothing is called 'valeu'", "did you mean 'value'?"}},
                    Bad{R1("    threshold: {series: nearzero_off, above: 0}\n"
                           "    annotations: {summary: 'it is {{ value'}\n"),
                        {"'{{' without '}}'"}},
                    Bad{R1("    threshold: {series: nearzero_target_threads, above: 0}\n"
                           "    annotations: {summary: '{{ labels.targte }}'}\n"),
                        {"did you mean 'labels.target'?"}},
                    Bad{R1("    threshold: {series: nearzero_off, above: 0}\n"
                           "    annotations: {summary: '{{ before }}'}\n"),
                        {"nothing is called 'before'"}},
                    Bad{R1("    threshold: {series: nearzero_off, above: 0}\n"
                           "    annotations: {summary: '{{ value | printf }}'}\n"),
                        {"nothing is called"}}));

TEST(RuleFile, DuplicatesAreNamed) {
  const RuleFile file = parse_rules("rules:" + kGood + kGood, "f");
  EXPECT_THAT(file.problems,
              ElementsAre(HasSubstr("f:5:11: duplicate rule 'Good', first at f:2:11")));
  EXPECT_EQ(file.rules.size(), 1U);
  EXPECT_EQ(file.bad_rules, 1U);
}

TEST(RuleFile, WhatIsNoYamlHasNoRules) {
  for (const char* text : {"rules: [", "\t- x", "rules: {a: b}", "[]", "5", "rules: 3"}) {
    const RuleFile file = parse_rules(text, "f");
    EXPECT_TRUE(file.rules.empty()) << text;
    EXPECT_EQ(file.problems.size(), 1U) << text << testing::PrintToString(file.problems);
  }
  for (const char* text :
       {"", "# nothing", "rules:\n", "rules: []", "{}", "receivers:\nrules:\n"}) {
    const RuleFile file = parse_rules(text, "f");
    EXPECT_TRUE(file.problems.empty()) << text << testing::PrintToString(file.problems);
  }
}

TEST(RuleFile, AMistakeAroundTheRulesStopsNone) {
  const RuleFile file = parse_rules("rule: 3\nrules:" + kGood, "f");
  EXPECT_THAT(file.problems, ElementsAre(HasSubstr("did you mean 'rules'?")));
  EXPECT_EQ(file.rules.size(), 1U);
}

TEST(RuleFile, ReadsReceivers) {
  const RuleFile file = parse_rules(R"(
receivers:
  - name: am
    alertmanager: {urls: ["http://127.0.0.1:9093", "https://b:9093/prefix"], resend: 30s}
    tls: {ca_file: /ca.pem}
    token_file: /token
    timeout: 2s
  - name: hook
    webhook: {url: "https://h", group_by: [target], group_wait: 1s, group_interval: 2s, repeat: 1h}
    basic_auth: {user: u, password_file: /p}
    severity: critical
    send_resolved: false
  - name: journal
    log: {}
)",
                                    "f");
  ASSERT_TRUE(file.problems.empty()) << file.problems[0];
  Receiver am;
  am.name = "am";
  am.kind = Receiver::Kind::alertmanager;
  am.urls = {"http://127.0.0.1:9093", "https://b:9093/prefix"};
  am.ca_file = "/ca.pem";
  am.token_file = "/token";
  am.timeout = 2;
  am.repeat = 30;
  Receiver hook;
  hook.name = "hook";
  hook.kind = Receiver::Kind::webhook;
  hook.urls = {"https://h"};
  hook.group_by = {"target"};
  hook.group_wait = 1;
  hook.group_interval = 2;
  hook.repeat = 3600;
  hook.user = "u";
  hook.password_file = "/p";
  hook.least_severity = Severity::critical;
  hook.send_resolved = false;
  Receiver journal;
  journal.name = "journal";
  EXPECT_THAT(file.receivers, ElementsAre(am, hook, journal));
}

TEST(RuleFile, ARuleRunsThoughItsReceiverHasAMistake) {
  const RuleFile file = parse_rules(
      "receivers: [{name: a, webhook: {url: nonsense}}]\n"
      "rules:\n  - name: A\n    threshold: {series: nearzero_off, above: 0}\n"
      "    receivers: [a]\n",
      "f");
  EXPECT_EQ(file.problems.size(), 1U) << testing::PrintToString(file.problems);
  EXPECT_TRUE(file.receivers.empty());
  EXPECT_EQ(file.bad_rules, 0U);
  EXPECT_EQ(file.rules.size(), 1U) << "its alert is logged and counted at least";
}

TEST(RuleFile, ABadReceiverStopsNoRule) {
  for (const char* receiver :
       {"{name: a}", "{name: a, alertmanager: {urls: []}}", "{name: a, alertmanager: {urls: [x]}}",
        "{name: a, webhook: {url: 'http://user@host/'}}",
        "{name: a, log: {}, webhook: {url: 'http://h'}}",
        "{name: a, webhook: {url: 'https://h'}, token_file: relative}",
        "{name: a, webhook: {url: 'http://h'}, token_file: /t}",
        "{name: a, alertmanager: {urls: ['https://h', 'http://127.0.0.1.h']}, "
        "basic_auth: {user: u, password_file: /p}}"}) {
    const RuleFile file =
        parse_rules("receivers: [" + std::string(receiver) + "]\nrules:" + kGood, "f");
    EXPECT_EQ(file.problems.size(), 1U) << receiver << testing::PrintToString(file.problems);
    EXPECT_TRUE(file.receivers.empty()) << receiver;
    EXPECT_EQ(file.rules.size(), 1U) << receiver;
  }
}

TEST(RuleFile, ReadsEveryKindOfCondition) {
  const RuleFile file = parse_rules(R"(
rules:
  - name: T
    threshold: {series: 'nearzero_order_stage_duration_seconds{stage="order"}', statistic: p99.9, window: 90s,
                by: [target], above: 5ms, clear: 4ms}
    for: 30s
    keep_firing_for: 2m
    severity: critical
    labels: {team: trading}
  - name: R
    ratio:
      of: {series: 'nearzero_filesystem_bytes{kind="available"}'}
      to: {series: 'nearzero_filesystem_bytes{kind="size"}'}
      complement: true
      above: 90%
  - name: D
    degradation: {series: nearzero_syscall_duration_seconds, statistic: p50, baseline: release-1.4, below: 2x,
                  least_difference: 1ms, spreads: 4}
  - name: G
    regression: {series: nearzero_syscall_duration_seconds, statistic: p99, worse_only: false, least_change: 150%,
                 least_confidence: 95%}
  - name: N
    anomaly: {least_score: 0.9, least_members: 2}
  - name: B
    bottleneck: {kinds: [slow_sync], where: 'target="a"', least_severity: critical, least_impact: 10%}
  - name: M
    absence: {series: 'nearzero_target_threads{target="a"}', window: 2m}
  - name: S
    burn_rate: {series: nearzero_syscall_duration_seconds, slower_than: 5ms, objective: 99.9%}
  - name: X
    resource: {of: memory, above: 0.9}
  - name: F
    forecast: {of: disk_space, where: 'mount!="/boot"', within: 3d, moment: latest}
  - name: V
    forecast: {series: nearzero_syscall_duration_seconds, statistic: p50, above: 5ms, within: 6h}
)",
                                    "f");
  ASSERT_TRUE(file.problems.empty()) << testing::PrintToString(file.problems);
  ASSERT_EQ(file.rules.size(), 11U);
  const auto& t = std::get<Threshold>(file.rules[0].condition);
  EXPECT_EQ(text_of(t.of.statistic), "p99.9");
  EXPECT_EQ(t.of.window, 90);
  EXPECT_FALSE(t.of.each);
  EXPECT_DOUBLE_EQ(t.bound.value, 0.005);
  EXPECT_DOUBLE_EQ(*t.bound.clear, 0.004);
  EXPECT_EQ(file.rules[0].for_seconds, 30);
  EXPECT_EQ(file.rules[0].keep_firing_seconds, 120);
  EXPECT_EQ(file.rules[0].severity, Severity::critical);
  const auto& r = std::get<Ratio>(file.rules[1].condition);
  EXPECT_THAT(r.of.by, ElementsAre("mount", "device")) << "without what the selectors fix";
  EXPECT_TRUE(r.complement);
  const auto& d = std::get<Degradation>(file.rules[2].condition);
  EXPECT_FALSE(d.above);
  EXPECT_EQ(d.factor, 2);
  EXPECT_EQ(d.spreads, 4);
  const auto& g = std::get<RegressionFound>(file.rules[3].condition);
  EXPECT_EQ(g.least_change, 1.5);
  EXPECT_FALSE(g.worse_only);
  EXPECT_EQ(std::get<AnomalyFound>(file.rules[4].condition).least_members, 2U);
  EXPECT_EQ(std::get<BottleneckFound>(file.rules[5].condition).least_severity, Severity::critical);
  EXPECT_EQ(std::get<Absence>(file.rules[6].condition).window, 120);
  const auto& s = std::get<BurnRate>(file.rules[7].condition);
  EXPECT_EQ(s.windows.size(), 3U);
  EXPECT_THAT(file.rules[7].severities(), ElementsAre(Severity::critical, Severity::warning));
  EXPECT_DOUBLE_EQ(std::get<Ratio>(file.rules[8].condition).bound.value, 0.9);
  const auto& f = std::get<ForecastFound>(file.rules[9].condition);
  EXPECT_EQ(f.subject(), "disk_space");
  EXPECT_EQ(f.where.size(), 1U);
  EXPECT_EQ(f.within, 3 * 86400);
  EXPECT_EQ(f.moment, ForecastFound::Moment::latest);
  const auto& v = std::get<ForecastFound>(file.rules[10].condition);
  EXPECT_DOUBLE_EQ(v.bound.value, 0.005);
  EXPECT_EQ(text_of(v.of.statistic), "p50");
  EXPECT_EQ(v.moment, ForecastFound::Moment::likeliest);
  EXPECT_STREQ(kind_of(file.rules[10].condition), "forecast");
}

TEST(RuleFile, ForecastsThatCannotBe) {
  for (const char* forecast :
       {"{of: disk_space}", "{of: cpu_quota, within: 1d}",
        "{of: disk_space, above: 1GB, within: 1d}",
        "{of: disk_space, series: nearzero_off, within: 1d}", "{above: 1, within: 1d}",
        "{series: nearzero_off, within: 1d}", "{series: nearzero_off, above: 5ms, within: 1d}",
        "{series: nearzero_host_cpus, statistic: max, above: 5, within: 1d}",
        "{of: disk_space, within: 1s}", "{of: disk_space, within: 1d, moment: soon}",
        "{of: disk_space, within: 1d, where: 'target=\"a\"'}"}) {
    const RuleFile file =
        parse_rules("rules:\n  - {name: A, forecast: " + std::string(forecast) + "}\n", "f");
    EXPECT_EQ(file.problems.size(), 1U) << forecast << testing::PrintToString(file.problems);
    EXPECT_TRUE(file.rules.empty()) << forecast;
  }
}

TEST(RuleFile, FilesAreReadTogether) {
  const auto write = [](const std::string& name, const std::string& text) {
    const std::string path = testing::TempDir() + "nz_rules_" + name;
    std::ofstream(path) << text;
    return path;
  };
  const std::string one =
      write("1.yaml",
            "rules:\n  - name: A\n    threshold: {series: nearzero_off, above: 0}\n"
            "    receivers: [r]\n");
  const std::string two = write("2.yaml",
                                "receivers: [{name: r, log: {}}]\nrules:\n  - name: A\n"
                                "    threshold: {series: nearzero_off, above: 0}\n");
  const RuleFile file = load_rules({one, two, "/nowhere.yaml"});
  ASSERT_EQ(file.rules.size(), 1U);
  EXPECT_THAT(file.problems, ElementsAre(HasSubstr("duplicate rule 'A', first at " + one + ":2:5"),
                                         HasSubstr("/nowhere.yaml")));
}

TEST(BottleneckKinds, AreThoseOfTheDocument) {
  std::ifstream in(std::string(NZ_SOURCE) + "/docs/bottlenecks.md");
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  std::size_t examples = 0;
  for (std::size_t at = 0; (at = text.find("\n#### `", at)) != std::string::npos; at++) examples++;
  EXPECT_EQ(bottleneck_kinds().size(), examples);
  for (const std::string& kind : bottleneck_kinds())
    EXPECT_NE(text.find("#### `" + kind + "`"), std::string::npos) << kind;
}

}  // namespace
}  // namespace nz::alerts
