// What is asked of history step by step: trends of any series, intervals of histograms.
#include <gtest/gtest.h>

#include <cmath>

#include "userspace/history/test_history.h"

namespace nz::history {
namespace {

using namespace testing;

TEST(Trends, RatesStepByStep) {
  History history({.resolution = 10});
  fill(history, 0, 120);
  const auto trends =
      history.trends({.name = "c_total", .labels = {}, .quantile = {}}, kStart, kStart + 120, 30);
  ASSERT_EQ(trends.size(), 1U);
  EXPECT_EQ(trends[0].unit, "per second");
  ASSERT_EQ(trends[0].points.size(), 4U);
  for (int k = 0; k < 4; k++) {
    EXPECT_EQ(trends[0].points[static_cast<std::size_t>(k)].at, kStart + 30 * (k + 1));
    EXPECT_EQ(trends[0].points[static_cast<std::size_t>(k)].value, 5);
  }
}

TEST(Trends, QuantileMeanAndRateOfAHistogram) {
  History history({.resolution = 10});
  analysis::Histogram h;
  for (int s = 0; s <= 60; s += 10) {
    if (s > 0) h = after(h, {1'000, 1'000, 4'000'000});
    if (s > 30) h = after(h, {4'000'000, 4'000'000, 4'000'000});
    history.add(kStart + s, {histogram("h_seconds", h, {{"stage", "risk"}})});
  }
  Selector selector{.name = "h_seconds", .labels = {{"stage", "risk"}}, .quantile = 0.5};
  auto trends = history.trends(selector, kStart, kStart + 60, 30);
  ASSERT_EQ(trends.size(), 1U);
  ASSERT_EQ(trends[0].points.size(), 2U);
  EXPECT_NEAR(trends[0].points[0].value, 1e-6, 0.05e-6);
  EXPECT_NEAR(trends[0].points[1].value, 4e-3, 0.2e-3);
  EXPECT_EQ(trends[0].unit, "seconds");
  selector.quantile.reset();
  trends = history.trends(selector, kStart, kStart + 60, 30);
  EXPECT_EQ(trends[0].points[0].value, 9.0 / 30);
  EXPECT_EQ(trends[0].points[1].value, 18.0 / 30);
  EXPECT_EQ(trends[0].unit, "per second");
  selector.mean = true;
  trends = history.trends(selector, kStart, kStart + 60, 30);
  EXPECT_NEAR(trends[0].points[0].value, (2e-6 + 4e-3) / 3, 1e-12);
  selector.labels = {{"stage", "other"}};
  EXPECT_TRUE(history.trends(selector, kStart, kStart + 60, 30).empty());
}

TEST(Intervals, HaveTheValuesOfEachStepAlone) {
  History history({.resolution = 10});
  analysis::Histogram h;
  const analysis::Labels risk{{"stage", "risk"}};
  for (int s = 0; s <= 60; s += 10) {
    if (s > 0) h = after(h, {1'000, 1'000});
    if (s > 30) h = after(h, {4'000'000});
    history.add(kStart + s, {histogram("h_seconds", h, risk),
                             histogram("h_seconds", h, {{"stage", "risk"}, {"more", "x"}})});
  }
  const auto intervals = history.intervals("h_seconds", risk, kStart, kStart + 60, 30);
  ASSERT_EQ(intervals.size(), 2U);
  EXPECT_EQ(intervals[0].to, kStart + 30);
  EXPECT_EQ(intervals[0].histogram->count(), 6U);
  EXPECT_EQ(intervals[1].from, kStart + 30);
  EXPECT_EQ(intervals[1].histogram->count(), 9U);
  EXPECT_EQ(intervals[1].histogram->sum_ns, 6'000U + 12'000'000U);
  EXPECT_TRUE(
      history.intervals("h_seconds", {{"stage", "other"}}, kStart, kStart + 60, 30).empty());
  EXPECT_TRUE(history.intervals("h_seconds", risk, kStart, kStart + 60, 0).empty());
  EXPECT_EQ(history.intervals("h_seconds", risk, kStart - 600, kStart + 600, 30).size(), 2U)
      << "what is not known is left out";
}

// A point in 11 s, asked for each 10 s; the newest comes 3 s after the one before it.
TEST(Intervals, EndWhereThereArePoints) {
  History history({.resolution = 10});
  analysis::Histogram h;
  for (const int s : {0, 11, 22, 33, 44, 55, 58}) {
    if (s > 0) h = after(h, {1'000});
    history.add(kStart + s, {histogram("h_seconds", h)});
  }
  const auto intervals = history.intervals("h_seconds", {}, kStart - 300, kStart + 58, 10);
  ASSERT_EQ(intervals.size(), 5U);
  for (std::size_t i = 0; i < 4; i++) {
    EXPECT_EQ(intervals[i].from, kStart + 11.0 * static_cast<double>(i));
    EXPECT_EQ(intervals[i].to, intervals[i + 1].from);
    EXPECT_EQ(intervals[i].histogram->count(), 1U) << i;
  }
  EXPECT_EQ(intervals[4].to, kStart + 58) << "a short rest belongs to the last";
  EXPECT_EQ(intervals[4].histogram->count(), 2U);
  EXPECT_TRUE(history.intervals("h_seconds", {}, kStart + 58, kStart + 58, 10).empty());
}

TEST(Trends, HolesBeforeTheBeginningInGapsAndAfterTheEnd) {
  History history({.resolution = 10, .length = 7200});
  fill(history, 0, 60);
  fill(history, 61, 120, kStart + 600);
  const auto trends =
      history.trends({.name = "g", .labels = {}, .quantile = {}}, kStart - 60, kStart + 780, 60);
  ASSERT_EQ(trends.size(), 1U);
  const auto& p = trends[0].points;
  ASSERT_EQ(p.size(), 14U);
  EXPECT_TRUE(std::isnan(p[0].value)) << "before the first point";
  EXPECT_EQ(p[1].value, 60 % 7);
  for (std::size_t k = 2; k <= 6; k++) EXPECT_TRUE(std::isnan(p[k].value)) << k;
  EXPECT_EQ(p[12].value, 120 % 7);
  EXPECT_TRUE(std::isnan(p[13].value)) << "after the last point";
}

TEST(Trends, ASeriesThatAppearsLaterHasHolesBefore) {
  History history({.resolution = 10});
  for (int s = 0; s <= 60; s += 10) {
    Families families{gauge("g", 1, {{"k", "a"}})};
    if (s > 40) families.push_back(gauge("g", 2, {{"k", "b"}}));
    history.add(kStart + s, families);
  }
  const auto trends =
      history.trends({.name = "g", .labels = {}, .quantile = {}}, kStart, kStart + 60, 20);
  ASSERT_EQ(trends.size(), 2U);
  EXPECT_EQ(trends[1].labels[0].second, "b");
  ASSERT_EQ(trends[1].points.size(), 3U);
  EXPECT_TRUE(std::isnan(trends[1].points[0].value));
  EXPECT_TRUE(std::isnan(trends[1].points[1].value));
  EXPECT_EQ(trends[1].points[2].value, 2);
  EXPECT_EQ(trends[1].points[0].at, kStart + 20);
}

TEST(Trends, NonsenseIsNothing) {
  History history({});
  fill(history, 0, 60);
  const Selector selector{.name = "g", .labels = {}, .quantile = {}};
  EXPECT_TRUE(history.trends(selector, kStart, kStart, 10).empty());
  EXPECT_TRUE(history.trends(selector, kStart, kStart + 60, 0).empty());
  EXPECT_TRUE(history.trends(selector, kStart, kStart + 60, -1).empty());
  EXPECT_TRUE(history.trends(selector, 0, 1e12, 1e-3).empty());
  EXPECT_TRUE(history.trends(selector, std::nan(""), kStart, 1).empty());
}

}  // namespace
}  // namespace nz::history
