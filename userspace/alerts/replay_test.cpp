// Rules against recordings.
#include "userspace/alerts/replay.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <ios>
#include <istream>
#include <sstream>
#include <streambuf>

#include "userspace/alerts/rule_file.h"
#include "userspace/alerts/test_scene.h"

namespace nz::alerts {
namespace {

using ::testing::HasSubstr;
using testing::kNow;
using testing::label;
using testing::rules_of;

std::string moment(double at, const std::string& rest) {
  return "{\"at\":" + std::to_string(at) + "," + rest + "}\n";
}
std::string off(double at, int value) {
  return moment(at, "\"families\":{\"nearzero_off\":[{\"value\":" + std::to_string(value) + "}]}");
}
/// `slow` of a hundred values in each ten seconds take 16 ms, the others 1 ms; cumulative.
std::string orders(double at, int steps, int slow) {
  return moment(
      at,
      "\"families\":{\"nearzero_order_stage_duration_seconds\":[{\"labels\":{\"target\":\"a\","
      "\"stage\":\"order\"},\"zero\":0,\"overflow\":0,\"sum_ns\":0,\"window_min_ns\":1000000,"
      "\"window_max_ns\":1000000,\"buckets\":[[112," +
          std::to_string(100 * steps - slow) + "],[144," + std::to_string(slow) + "]]}]}");
}

Replayed play(const std::string& yaml, const std::string& text, ReplayOptions options = {}) {
  std::istringstream in(text);
  Recording recording(in, "r");
  return replay(rules_of(yaml), recording, options);
}

TEST(Replay, SaysWhatWouldHaveFiredWhen) {
  std::string text;
  for (int i = 0; i < 60; i++) text += off(kNow + 10 * i, i >= 20 && i < 40 ? 1 : 0);
  const auto r = play(
      "rules:\n  - {name: A, threshold: {series: nearzero_off, above: 0}, for: 1m, "
      "keep_firing_for: 0s}\n",
      text);
  EXPECT_EQ(r.moments, 60U);
  EXPECT_EQ(r.steps, 60U);
  ASSERT_EQ(r.alerts.size(), 1U);
  EXPECT_EQ(r.alerts[0].active_since, kNow + 200);
  EXPECT_EQ(r.alerts[0].fired_at, kNow + 260);
  EXPECT_EQ(r.alerts[0].resolved_at, kNow + 400);
  EXPECT_TRUE(r.unknown.empty());
}

TEST(Replay, ReadsHistograms) {
  std::string text;
  int slow = 0;
  for (int i = 1; i <= 60; i++) {
    if (i > 30) slow += 20;
    text += orders(kNow + 10 * i, i, slow);
  }
  const auto r = play(
      "rules:\n  - {name: A, threshold: {series: nearzero_order_stage_duration_seconds, "
      "statistic: p90, window: 30s, above: 5ms}}\n",
      text);
  ASSERT_EQ(r.alerts.size(), 1U);
  EXPECT_EQ(label(r.alerts[0], "stage"), "order");
  EXPECT_EQ(r.alerts[0].resolved_at, 0) << "still fires";
  EXPECT_GE(r.alerts[0].fired_at, kNow + 310);
  EXPECT_LE(r.alerts[0].fired_at, kNow + 330);
}

TEST(Replay, OnlyBetweenTwoTimesButWithWhatWasBefore) {
  std::string text;
  for (int i = 0; i < 60; i++) text += off(kNow + 10 * i, 1);
  ReplayOptions options;
  options.from = kNow + 300;
  options.to = kNow + 400;
  const auto r =
      play("rules:\n  - {name: A, threshold: {series: nearzero_off, above: 0}}\n", text, options);
  EXPECT_EQ(r.from, kNow + 300);
  EXPECT_EQ(r.to, kNow + 400);
  EXPECT_EQ(r.steps, 11U);
  ASSERT_EQ(r.alerts.size(), 1U);
  EXPECT_EQ(r.alerts[0].fired_at, kNow + 300) << "the window before was read";
}

TEST(Replay, RegressionsIncidentsFindingsAndBaselines) {
  const std::string yaml = R"(
rules:
  - {name: G, regression: {}}
  - {name: N, anomaly: {}}
  - {name: B, bottleneck: {}}
  - {name: D, degradation: {series: nearzero_order_stage_duration_seconds, statistic: p50, above: 2x}}
  - {name: U, threshold: {series: nearzero_off, above: 0}}
)";
  std::string text;
  for (int i = 1; i <= 60; i++) text += orders(kNow + 10 * i, i, 0);
  text += moment(
      kNow + 601,
      R"("regressions":[{"id":"r","of":{"name":"nearzero_off","labels":{"target":"a"},"statistic":"value"},
                    "before":1,"after":2,"confidence":0.9,"since":1764255600}],
                    "incidents":[{"id":"i","since":1764255600,"members":[{"of":{"name":"nearzero_off"},"score":0.9}]}],
                    "findings":[{"id":"f","kind":"own_code","target":"a","severity":"warning","impact":0.5}],
                    "baselines":[{"of":{"name":"nearzero_order_stage_duration_seconds","statistic":"p50"},
                    "middle":0.0001,"spread":0.00001}])");
  std::string one_line;
  for (std::size_t at = 0; at < text.size(); at++) {
    if (text[at] == '\n' && at + 1 < text.size() && text[at + 1] == ' ') continue;
    one_line += text[at];
  }
  one_line += orders(kNow + 615, 61, 0);
  const auto r = play(yaml, one_line);
  std::vector<std::string> fired;
  for (const Alert& alert : r.alerts) fired.push_back(alert.rule);
  std::sort(fired.begin(), fired.end());
  EXPECT_THAT(fired, ::testing::ElementsAre("B", "D", "G", "N"));
  ASSERT_EQ(r.unknown.size(), 1U);
  EXPECT_EQ(r.unknown[0].rule, "U");
  EXPECT_TRUE(r.problems.empty()) << r.problems[0];
}

TEST(Replay, ASelectorThatMatchesNothingIsNamedButNotOfAbsence) {
  std::string text;
  for (int i = 1; i <= 60; i++) text += orders(kNow + 10 * i, i, 0);
  const auto r = play(
      "rules:\n"
      "  - {name: A, threshold: {series: 'nearzero_order_stage_duration_seconds{stage=\"rsik\"}', "
      "statistic: p99, above: 1s}}\n"
      "  - {name: B, threshold: {series: 'nearzero_order_stage_duration_seconds{stage=\"order\"}', "
      "statistic: p99, above: 1s}}\n"
      "  - {name: C, absence: {series: 'nearzero_order_stage_duration_seconds{stage=\"rsik\"}', "
      "window: 1m}}\n",
      text);
  ASSERT_EQ(r.unknown.size(), 1U);
  EXPECT_EQ(r.unknown[0].rule, "A");
  EXPECT_THAT(r.unknown[0].why, HasSubstr("no series of this recording matches "
                                          "nearzero_order_stage_duration_seconds{stage=\"rsik\"}"));
}

TEST(Replay, BaselinesOfAnotherPlace) {
  std::string text;
  for (int i = 1; i <= 60; i++) text += orders(kNow + 10 * i, i, 0);
  ReplayOptions options;
  options.baseline = [](const analysis::Quantity& of, const std::string& name, double) {
    EXPECT_EQ(of.statistic, "p50");
    return name == "release-1.4" ? std::optional(BaselineValue{0.0001, 0.00001}) : std::nullopt;
  };
  const auto r = play(
      "rules:\n"
      "  - {name: A, degradation: {series: nearzero_order_stage_duration_seconds, statistic: p50, "
      "above: 2x, baseline: release-1.4}}\n"
      "  - {name: B, degradation: {series: nearzero_order_stage_duration_seconds, statistic: p50, "
      "above: 2x}}\n",
      text, options);
  ASSERT_EQ(r.alerts.size(), 1U);
  EXPECT_EQ(r.alerts[0].rule, "A");
  ASSERT_EQ(r.unknown.size(), 1U);
  EXPECT_EQ(r.unknown[0].rule, "B");
  EXPECT_THAT(r.unknown[0].why, HasSubstr("no baseline 'hour_of_week'"));
}

TEST(Replay, ABurnRateThatFiredWasJudged) {
  std::string text;
  for (int i = 0; i < 60; i++) {
    const auto counter = [i](const char* name, int each) {
      return std::string("\"") + name +
             "\":[{\"labels\":{\"target\":\"a\"},\"value\":" + std::to_string(each * i) + "}]";
    };
    text += moment(kNow + 10 * i, "\"families\":{" +
                                      counter("nearzero_sqlite_statement_errors_total", 50) + "," +
                                      counter("nearzero_sqlite_statements_total", 100) + "}");
  }
  const auto r = play(
      "rules:\n  - name: A\n    burn_rate: {bad: nearzero_sqlite_statement_errors_total, "
      "total: nearzero_sqlite_statements_total, objective: 99.9%, by: [target]}\n",
      text);
  ASSERT_EQ(r.alerts.size(), 1U) << "of 1h and 5m; the other windows are not there";
  EXPECT_TRUE(r.unknown.empty()) << r.unknown[0].why;
}

TEST(Replay, BadLinesAreNamedAndPassedOver) {
  const std::string text = off(kNow, 1) + "{\"at\":\n\nnonsense\n{\"families\":{}}\n" +
                           "{\"at\":1,\"families\":{\"x\":[{\"buckets\":[[9999,1]]}]}}\n" +
                           "{\"at\":1,\"families\":{\"x\":[{}]}}\n" + off(kNow + 60, 1);
  const auto r = play("rules:\n  - {name: A, threshold: {series: nearzero_off, above: 0}}\n", text);
  EXPECT_EQ(r.bad_lines, 5U);
  ASSERT_EQ(r.problems.size(), 5U);
  EXPECT_THAT(r.problems[0], HasSubstr("r:2: not a moment"));
  EXPECT_EQ(r.moments, 2U);
  EXPECT_EQ(r.alerts.size(), 1U);
}

TEST(Recording, ALineThatIsTooLongIsOneMistake) {
  std::istringstream in(moment(1, "\"x\":\"" + std::string(500, 'y') + "\"") + off(2, 0));
  Recording recording(in, "r", 100);
  const auto first = recording.next();
  ASSERT_FALSE(first);
  EXPECT_THAT(first.error().what, HasSubstr("r:1: longer than"));
  const auto second = recording.next();
  ASSERT_TRUE(second && *second);
  EXPECT_EQ((*second)->at, 2);
  EXPECT_FALSE(*recording.next());
}

// One line, then a disk that is broken.
class Broken : public std::streambuf {
 public:
  Broken() { setg(text_.data(), text_.data(), text_.data() + text_.size()); }

 protected:
  int_type underflow() override { throw std::ios_base::failure("input/output error"); }

 private:
  std::string text_ = off(1, 0);
};

TEST(Recording, WhatCannotBeReadIsNotTheEnd) {
  Broken disk;
  std::istream in(&disk);
  Recording recording(in, "r");
  ASSERT_TRUE(recording.next());
  const auto broken = recording.next();
  ASSERT_FALSE(broken);
  EXPECT_THAT(broken.error().what, HasSubstr("r: cannot be read beyond line 1: input/output"));
  const auto end = recording.next();
  ASSERT_TRUE(end);
  EXPECT_FALSE(*end) << "it is said once";
}

TEST(Replay, AnEmptyRecordingJudgesNothing) {
  const auto r = play("rules:\n  - {name: A, threshold: {series: nearzero_off, above: 0}}\n", "");
  EXPECT_EQ(r.steps, 0U);
  ASSERT_EQ(r.unknown.size(), 1U);
  EXPECT_THAT(r.unknown[0].why, HasSubstr("nothing to judge"));
}

}  // namespace
}  // namespace nz::alerts
