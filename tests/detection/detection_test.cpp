#include <gtest/gtest.h>

#include <cmath>

#include "analysis/detect/anomaly.h"
#include "tests/detection/peers.h"
#include "tests/detection/quality.h"
#include "tests/detection/watch_cost.h"

namespace nz::test {
namespace {

// A small part of scripts/bench detection; docs/detection.md has the whole. Margins are wide: this
// fails when detection breaks, not when it gets a little worse.
Tally of_series(const std::vector<SeriesSpec>& specs, const Method& method, std::size_t tolerance) {
  Tally all;
  for (const SeriesSpec& spec : specs) {
    const LabelledSeries series = make_series(spec);
    all.add(count(series, method(series), tolerance));
  }
  return all;
}

std::vector<SeriesSpec> with_steps_from(double least, std::size_t points, double seconds) {
  std::vector<SeriesSpec> specs = step_specs(20, points, seconds, 7);
  std::erase_if(specs, [&](const SeriesSpec& s) { return std::abs(s.step) < least; });
  return specs;
}

std::vector<SeriesSpec> without_steps(std::size_t points, double seconds) {
  std::vector<SeriesSpec> specs = step_specs(40, points, seconds, 8);
  std::erase_if(specs, [](const SeriesSpec& s) { return s.step_at > 0; });
  return specs;
}

TEST(Detection, FindsLargeStepsOffline) {
  const Tally t = of_series(with_steps_from(0.15, 20'160, 60), told_offline, 720);
  EXPECT_GE(t.steps, 8U);
  EXPECT_GE(t.recall(), 0.8);
}

TEST(Detection, HasFewFalseAlarmsOffline) {
  const Tally t = of_series(without_steps(40'320, 60), told_offline, 0);
  EXPECT_LT(t.false_per_month(), 1);
}

TEST(Detection, FindsLargeStepsOnline) {
  const Tally t = of_series(with_steps_from(0.15, 30'240, 10), told_online, 720);
  EXPECT_GE(t.recall(), 0.7);
}

TEST(Detection, HasFewFalseAlarmsOnline) {
  const Tally t = of_series(without_steps(60'480, 10), told_online, 0);
  EXPECT_LT(t.false_per_month(), 1);
}

TEST(Detection, ScoresAnomaliesHigherThanTheRest) {
  for (const std::string& kind : anomaly_kinds()) {
    double area = 0;
    constexpr int kSeries = 3;
    for (int k = 0; k < kSeries; k++) {
      const AnomalySeries s = make_anomaly_series(kind, 5'000, 40 + static_cast<std::uint64_t>(k));
      analysis::AnomalyDetector detector;
      std::vector<double> score;
      for (std::size_t i = 0; i < s.value.size(); i++) {
        score.push_back(detector.score(s.at[i], s.value[i]));
      }
      area += area_under_roc(score, s.label) / kSeries;
    }
    EXPECT_GT(area, 0.6) << kind;
  }
}

// The peer has to be a fair one.
TEST(EDivisive, FindsAStepWhereItIs) {
  std::vector<double> values;
  for (int i = 0; i < 100; i++) values.push_back((i < 60 ? 10 : 12) + (i * 7919 % 13) * 0.05);
  const std::vector<std::size_t> found = e_divisive(values);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0], 60U);
}

TEST(EDivisive, FindsNothingInAConstant) {
  EXPECT_TRUE(e_divisive(std::vector<double>(200, 3.0)).empty());
}

TEST(StudentP, IsThatOfTables) {
  EXPECT_NEAR(student_p(2.228, 10), 0.05, 1e-4);
  EXPECT_NEAR(student_p(2.750, 30), 0.01, 1e-4);
  EXPECT_NEAR(student_p(0, 5), 1, 1e-12);
}

TEST(Areas, AreThoseOfSmallExamples) {
  const std::vector<double> score = {0.1, 0.4, 0.35, 0.8};
  const std::vector<int> label = {0, 0, 1, 1};
  EXPECT_NEAR(area_under_roc(score, label), 0.75, 1e-12);
  EXPECT_NEAR(average_precision(score, label), 0.5 + 0.5 * 2 / 3, 1e-12);
}

// What it measures has to be what the agent does: each family of the mix is one that is watched
// today, or known not to be, and steps are judged.
TEST(WatchCost, IsThatOfAWatchThatFindsSomething) {
  const WatchCost cost = measure_watch({1, 300, 120});
  EXPECT_EQ(cost.quantities, 125U);
  EXPECT_EQ(cost.histograms, 43U);
  EXPECT_GE(cost.regressions, 30U);
  EXPECT_GT(cost.nanoseconds, 0);
  EXPECT_GE(cost.slowest_look * 1e9, cost.nanoseconds * 125);
}

TEST(Generator, IsTheSameForTheSameSeed) {
  const SeriesSpec spec = step_specs(1, 1'000, 60, 5)[0];
  const LabelledSeries a = make_series(spec), b = make_series(spec);
  for (std::size_t i = 0; i < a.value.size(); i++) {
    if (std::isnan(a.value[i])) continue;
    ASSERT_EQ(a.value[i], b.value[i]);
  }
}

}  // namespace
}  // namespace nz::test
