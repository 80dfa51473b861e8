#include "analysis/regression/tracker.h"

#include <gtest/gtest.h>

namespace nz::analysis {
namespace {

Regression regression(const std::string& target, double before, double after, double since,
                      double confidence = 0.999) {
  Regression r;
  r.of = {"nearzero_order_duration_seconds", {{"target", target}}, "p99", "seconds"};
  r.id = text_of(r.of) + "@" + std::to_string(static_cast<long>(since));
  r.before = before;
  r.after = after;
  r.since = since;
  r.confidence = confidence;
  r.moved = {{0.99, after / before}};
  return r;
}

RegressionTracker::Now value(double v) {
  return [v](const Quantity&) { return std::optional(v); };
}
const RegressionTracker::Now kNothing = [](const Quantity&) { return std::optional<double>(); };

// 1 ms to 2 ms, open at 100.
RegressionTracker with_open() {
  RegressionTracker t;
  t.observe({regression("a", 1e-3, 2e-3, 90)}, value(2e-3), 100);
  return t;
}

TEST(RegressionTracker, OpensOnceAndGoesOn) {
  RegressionTracker t;
  const auto first = t.observe({regression("a", 1e-3, 2e-3, 90)}, value(2e-3), 100);
  ASSERT_EQ(first.opened.size(), 1U);
  EXPECT_EQ(first.opened[0].state, FindingState::open);
  const auto second = t.observe({regression("a", 1e-3, 2e-3, 91)}, value(2e-3), 110);
  EXPECT_TRUE(second.opened.empty());
  EXPECT_FALSE(t.observe({}, value(2e-3), 120).further);
  ASSERT_EQ(t.regressions().size(), 1U);
  EXPECT_EQ(t.regressions()[0].since, 90);
  EXPECT_EQ(t.regressions()[0].state, FindingState::ongoing);
}

TEST(RegressionTracker, DoubtfulOnesAreLeftOut) {
  RegressionTracker t;
  EXPECT_TRUE(t.observe({regression("a", 1, 2, 90, 0.9)}, kNothing, 100).opened.empty());
}

TEST(RegressionTracker, ResolvesAfterTheCureWithItsTime) {
  RegressionTracker t = with_open();
  EXPECT_TRUE(t.observe({}, value(1.05e-3), 200).resolved.empty());
  EXPECT_TRUE(t.observe({}, value(1.05e-3), 210).resolved.empty());
  EXPECT_TRUE(t.observe({}, value(1.05e-3), 220).resolved.empty());  // three looks, 20 s
  const auto changes = t.observe({}, value(1.05e-3), 230);
  ASSERT_EQ(changes.resolved.size(), 1U);
  EXPECT_EQ(changes.resolved[0].until, 200);
  EXPECT_EQ(t.regressions()[0].state, FindingState::resolved);
}

TEST(RegressionTracker, OneGoodLookIsNoCure) {
  RegressionTracker t = with_open();
  for (double at = 110; at < 400; at += 10) {
    const bool good = static_cast<int>(at / 10) % 3 == 0;
    EXPECT_TRUE(t.observe({}, value(good ? 1e-3 : 2e-3), at).resolved.empty());
  }
}

TEST(RegressionTracker, NoValueConcludesNothing) {
  RegressionTracker t = with_open();
  for (double at = 110; at < 1000; at += 10)
    EXPECT_TRUE(t.observe({}, kNothing, at).resolved.empty());
}

TEST(RegressionTracker, AStepBackEndsIt) {
  RegressionTracker t = with_open();
  const auto changes = t.observe({regression("a", 2e-3, 1e-3, 500)}, value(1e-3), 510);
  ASSERT_EQ(changes.resolved.size(), 1U);
  EXPECT_EQ(changes.resolved[0].until, 500);
  EXPECT_TRUE(changes.opened.empty());
}

TEST(RegressionTracker, AFurtherStepIsTheSameRegression) {
  RegressionTracker t = with_open();
  const auto changes = t.observe({regression("a", 2e-3, 6e-3, 500)}, value(6e-3), 510);
  EXPECT_TRUE(changes.opened.empty());
  EXPECT_TRUE(changes.further) << "its figures have to be kept anew";
  ASSERT_EQ(t.regressions().size(), 1U);
  const Regression r = t.regressions()[0];
  EXPECT_EQ(r.before, 1e-3);
  EXPECT_EQ(r.after, 6e-3);
  EXPECT_EQ(r.since, 90);
  EXPECT_NEAR(r.moved[0].second, 6, 1e-9);
}

TEST(RegressionTracker, ComesBackSoonMeansItNeverEnded) {
  RegressionTracker t = with_open();
  for (double at = 200; at <= 230; at += 10) t.observe({}, value(1e-3), at);
  ASSERT_EQ(t.regressions()[0].state, FindingState::resolved);
  const auto changes = t.observe({regression("a", 1e-3, 2e-3, 300)}, value(2e-3), 310);
  ASSERT_EQ(changes.opened.size(), 1U);
  EXPECT_EQ(changes.opened[0].since, 90);
  ASSERT_EQ(t.regressions().size(), 1U);
  for (double at = 2000; at <= 2030; at += 10) t.observe({}, value(1e-3), at);
  const auto later = t.observe({regression("a", 1e-3, 2e-3, 5000)}, value(2e-3), 5010);
  ASSERT_EQ(later.opened.size(), 1U);
  EXPECT_EQ(later.opened[0].since, 5000);
}

TEST(RegressionTracker, ALongTimeMakesItNormal) {
  RegressionTracker t = with_open();
  const double later = 90 + 14 * 86400.0;
  const auto changes = t.observe({}, value(2e-3), later);
  ASSERT_EQ(changes.resolved.size(), 1U);
  ASSERT_FALSE(changes.resolved[0].events.empty());
  EXPECT_EQ(changes.resolved[0].events.back().kind, "accepted");
  EXPECT_EQ(changes.resolved[0].events.back().target, "a");
}

TEST(RegressionTracker, AcceptedByAnOperator) {
  RegressionTracker t = with_open();
  EXPECT_FALSE(t.accept("none", 120));
  EXPECT_TRUE(t.accept(t.regressions()[0].id, 120));
  EXPECT_EQ(t.regressions()[0].state, FindingState::resolved);
}

TEST(RegressionTracker, HistoryThatEndedBeforeItWasFoundIsNotOpened) {
  RegressionTracker t;
  Regression r = regression("a", 1e-3, 2e-3, 90);
  r.state = FindingState::resolved;
  r.until = 150;
  EXPECT_TRUE(t.observe({r, r}, kNothing, 200).opened.empty());
  ASSERT_EQ(t.regressions().size(), 1U);
  EXPECT_EQ(t.regressions()[0].state, FindingState::resolved);
}

TEST(RegressionTracker, IsBoundedAndCountsWhatDidNotFit) {
  RegressionTracker::Options o;
  o.most = 2;
  RegressionTracker t(o);
  t.observe({regression("a", 1, 2, 90, 0.991), regression("b", 1, 2, 90, 0.995)}, kNothing, 100);
  t.observe({regression("c", 1, 2, 95, 0.99)}, kNothing, 110);
  EXPECT_EQ(t.dropped(), 1U);
  t.observe({regression("d", 1, 2, 95, 0.999)}, kNothing, 120);
  EXPECT_EQ(t.dropped(), 2U);
  ASSERT_EQ(t.regressions().size(), 2U);
  EXPECT_EQ(t.regressions()[0].of.labels[0].second, "d");
  EXPECT_EQ(t.regressions()[1].of.labels[0].second, "b");
}

TEST(RegressionTracker, OneThatComesBackNeedsRoomToo) {
  RegressionTracker::Options o;
  o.most = 1;
  RegressionTracker t(o);
  t.observe({regression("a", 1, 2, 90)}, kNothing, 100);
  t.observe({regression("a", 2, 1, 150)}, kNothing, 160);
  t.observe({regression("b", 1, 2, 165)}, kNothing, 170);
  t.observe({regression("a", 1, 2, 175, 0.9999)}, kNothing, 180);
  ASSERT_EQ(t.regressions().size(), 1U);
  EXPECT_EQ(t.regressions()[0].of.labels[0].second, "a");
  EXPECT_EQ(t.regressions()[0].since, 90) << "it has never ended";
  EXPECT_EQ(t.dropped(), 1U);
}

TEST(RegressionTracker, SurvivesARestart) {
  RegressionTracker t = with_open();
  RegressionTracker after;
  after.restore(t.regressions());
  EXPECT_TRUE(after.observe({regression("a", 1e-3, 2e-3, 90)}, value(2e-3), 300).opened.empty());
  for (double at = 310; at <= 340; at += 10) after.observe({}, value(1e-3), at);
  EXPECT_EQ(after.regressions()[0].state, FindingState::resolved);
}

TEST(RegressionTracker, AClockThatGoesBackStandsStill) {
  RegressionTracker t = with_open();
  for (double at = 50; at < 90; at += 10) t.observe({}, value(1e-3), at);
  EXPECT_EQ(t.regressions()[0].state, FindingState::ongoing);
}

}  // namespace
}  // namespace nz::analysis
