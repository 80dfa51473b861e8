#include "userspace/history/history.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <limits>
#include <random>
#include <thread>
#include <utility>

#include "userspace/history/test_families.h"

namespace nz::history {
namespace {

using analysis::Window;
using testing::after;
using testing::counter;
using testing::Families;
using testing::gauge;
using testing::histogram;

constexpr double kStart = 1'700'000'000;

// A counter that grows by 5 a second, drained every second.
void fill(History& history, int from, int to, double clock = kStart) {
  for (int s = from; s <= to; s++) {
    history.add(clock + s, {counter("c_total", 5.0 * s), gauge("g", s % 7)});
  }
}

TEST(History, WindowsEndNowAndCountExactly) {
  History history({.resolution = 10, .length = 3600});
  EXPECT_EQ(history.oldest(), 0);
  EXPECT_TRUE(history.window(0, kStart).series.empty());
  fill(history, 0, 125);
  EXPECT_EQ(history.oldest(), kStart);
  EXPECT_EQ(history.newest(), kStart + 125);
  const Window w = history.window(kStart + 65, kStart + 125);
  EXPECT_EQ(w.from, kStart + 60) << "the nearest point, the earlier of two";
  EXPECT_EQ(w.to, kStart + 125) << "not 120: the newest is there though it is not kept";
  EXPECT_EQ(w.change("c_total"), 325);
  EXPECT_EQ(w.value("c_total"), 625);
  EXPECT_EQ(w.value("g"), 125 % 7);
  // Points 70, 80, ..., 120 and 125: 0 3 6 2 5 1 6.
  EXPECT_EQ(w.find("g")[0]->least, 0);
  EXPECT_EQ(w.find("g")[0]->most, 6);
}

TEST(History, OnePointOrAReversedRangeIsNoWindow) {
  History history({});
  fill(history, 0, 0);
  EXPECT_TRUE(history.window(kStart - 100, kStart + 100).series.empty());
  fill(history, 1, 60);
  EXPECT_TRUE(history.window(kStart + 60, kStart).series.empty());
  EXPECT_TRUE(history.window(kStart + 21, kStart + 22).series.empty()) << "one point is nearest";
  EXPECT_TRUE(history.window(std::nan(""), kStart).series.empty());
  EXPECT_EQ(history.window(0, 1e12).seconds(), 60) << "what there is";
}

TEST(History, FilteredWindowHasOnlyWhatWasAskedFor) {
  History history({});
  fill(history, 0, 60);
  const Window w = history.window(
      0, 1e12, [](const std::string& name, const analysis::Labels&) { return name == "g"; });
  ASSERT_EQ(w.series.size(), 1U);
  EXPECT_EQ(w.series[0].name, "g");
}

TEST(History, ARestartBeginsAtZero) {
  History history({.resolution = 1});
  const double values[] = {100, 150, 20, 30, 5};  // grows 50, restarts, 20 + 10, restarts, 5
  for (int i = 0; i < 5; i++) history.add(kStart + i, {counter("c_total", values[i])});
  EXPECT_EQ(history.window(kStart, kStart + 4).change("c_total"), 85);
  EXPECT_EQ(history.window(kStart + 1, kStart + 3).change("c_total"), 30);
}

TEST(History, AHistogramThatBeginsAnewLosesNothing) {
  History history({.resolution = 1});
  auto h = after({}, {1'000, 2'000});
  history.add(kStart, {histogram("h", h)});
  h = after(h, {4'000});
  history.add(kStart + 1, {histogram("h", h)});
  h = after({}, {500, 600});  // restarted
  history.add(kStart + 2, {histogram("h", h)});
  h = after(h, {9'000});
  history.add(kStart + 3, {histogram("h", h)});
  const auto all = history.window(kStart, kStart + 3).histogram("h");
  EXPECT_EQ(all.count(), 4U);
  EXPECT_EQ(all.sum_ns, 4'000U + 500 + 600 + 9'000);
  EXPECT_EQ(all.min_ns, 500U);
  EXPECT_EQ(all.max_ns, 9'000U);
}

TEST(History, ExtremesAreThoseOfTheWindowThoughEachDrainHasItsOwn) {
  History history({.resolution = 10});
  analysis::Histogram h;
  for (int s = 0; s <= 60; s++) {
    // One slow value inside a step that is replaced by later drains: 777 us at 13 s, 333 at 45 s.
    const std::uint64_t ns = s == 13   ? 777'777
                             : s == 45 ? 333'333
                                       : 1'000 + static_cast<std::uint64_t>(s);
    h = after(h, {ns});
    history.add(kStart + s, {histogram("h", h)});
  }
  const auto early = history.window(kStart, kStart + 30).histogram("h");
  EXPECT_EQ(early.count(), 30U);
  EXPECT_EQ(early.max_ns, 777'777U);
  EXPECT_EQ(early.min_ns, 1'001U);
  const auto late = history.window(kStart + 30, kStart + 60).histogram("h");
  EXPECT_EQ(late.max_ns, 333'333U);
  EXPECT_EQ(late.min_ns, 1'031U);
  EXPECT_EQ(
      late.sum_ns, h.sum_ns - [&] {
        std::uint64_t sum = 777'777;
        for (std::uint64_t s = 0; s <= 30; s++) sum += s == 13 ? 0 : 1'000 + s;
        return sum;
      }());
}

TEST(History, ExtremesThatNobodyToldAreBoundedByTheBuckets) {
  History history({.resolution = 1});
  analysis::Histogram h;
  h.record(1'000'000);
  history.add(kStart, {histogram("h", h)});
  h.record(2'000);  // cumulative extremes: the maximum of the window is not that of all time
  history.add(kStart + 1, {histogram("h", h)});
  const auto w = history.window(kStart, kStart + 1).histogram("h");
  EXPECT_EQ(w.count(), 1U);
  EXPECT_GE(w.max_ns, 2'000U);
  EXPECT_LT(w.max_ns, 2'200U);
  EXPECT_EQ(w.min_ns, 2'000U);
}

TEST(History, SeriesThatComeAndGo) {
  History history({.resolution = 1});
  const testing::Labels a{{"k", "a"}};
  const testing::Labels b{{"k", "b"}};
  history.add(kStart, {counter("c_total", 10, a), gauge("g", 1, a)});
  history.add(kStart + 1, {counter("c_total", 12, a), gauge("g", 2, a), counter("c_total", 7, b)});
  history.add(kStart + 2, {counter("c_total", 9, b)});
  history.add(kStart + 3, {counter("c_total", 9, b)});
  Window w = history.window(kStart, kStart + 3);
  EXPECT_EQ(w.change("c_total", b), 9) << "appeared inside: began at 0";
  EXPECT_EQ(w.change("c_total", a), 2) << "what it did before it went";
  EXPECT_FALSE(w.value("g").has_value()) << "a gauge that is gone has no value";
  EXPECT_TRUE(history.window(kStart + 2, kStart + 3).find("c_total", a).empty());
  history.add(kStart + 4, {counter("c_total", 15, a), counter("c_total", 9, b)});
  EXPECT_EQ(history.window(kStart + 2, kStart + 4).change("c_total", a), 3)
      << "came back with its count: goes on from there";
  EXPECT_EQ(history.window(kStart, kStart + 4).change("c_total", a), 5);
}

// A service that is stopped for longer than history reaches, while others come or do not.
class LongAbsence : public ::testing::TestWithParam<std::pair<double, bool>> {
 protected:
  static constexpr int kBack = 151;
  LongAbsence() {
    families_of(0, 10, 10);
    for (int s = 1; s < kBack; s++) {
      Families there{gauge("g", 1)};
      if (GetParam().second && s > 120) there.push_back(counter("other_total", s));
      history.add(kStart + s, there);
    }
  }
  void families_of(int second, double more, double less, Families further = {}) {
    further.insert(further.begin(), {gauge("g", 1), counter("more_total", more),
                                     counter("less_total", less), histogram("h", values)});
    history.add(kStart + second, further);
  }
  [[nodiscard]] Window since(int from, int to) const {
    return history.window(kStart + from, kStart + to);
  }

  History history{{.resolution = GetParam().first, .length = 100}};
  analysis::Histogram values = after({}, {1'000, 2'000, 4'000});
};

TEST_P(LongAbsence, WhatWasCountedMeanwhileIsOfNoInterval) {
  values = after(values, {8'000});
  families_of(kBack, 1000, 4);
  const Window back = since(kBack - 1, kBack);
  EXPECT_EQ(back.change("more_total"), 0) << "when it grew is not known";
  EXPECT_EQ(back.value("more_total"), 1000);
  EXPECT_EQ(back.change("less_total"), 4) << "it began at 0 meanwhile";
  EXPECT_EQ(back.histogram("h").count(), 0U);
  values = after(values, {500, 16'000});
  families_of(kBack + 1, 1007, 5, {counter("new_total", 3)});
  const Window later = since(kBack - 1, kBack + 1);
  EXPECT_EQ(later.change("more_total"), 7);
  EXPECT_EQ(later.change("less_total"), 5);
  EXPECT_EQ(later.change("new_total"), 3) << "one that was never there began at 0";
  EXPECT_EQ(later.histogram("h").count(), 2U);
  EXPECT_EQ(later.histogram("h").sum_ns, 16'500U);
  EXPECT_EQ(later.histogram("h").min_ns, 500U);
  EXPECT_EQ(later.histogram("h").max_ns, 16'000U);
}

TEST_P(LongAbsence, ARestartAfterTheReturnBeginsAtZero) {
  families_of(kBack, 1000, 10);
  values = after({}, {500});
  families_of(kBack + 1, 2, 12);
  const Window w = since(kBack - 1, kBack + 1);
  EXPECT_EQ(w.change("more_total"), 2);
  EXPECT_EQ(w.change("less_total"), 2);
  EXPECT_EQ(w.histogram("h").count(), 1U);
}

TEST_P(LongAbsence, OneThatReturnsTwiceIsKnownTwice) {
  families_of(kBack, 1000, 10);
  for (int s = kBack + 1; s < 2 * kBack; s++) history.add(kStart + s, {gauge("g", 1)});
  families_of(2 * kBack, 5000, 10);
  EXPECT_EQ(since(2 * kBack - 1, 2 * kBack).change("more_total"), 0);
}

INSTANTIATE_TEST_SUITE_P(History, LongAbsence,
                         ::testing::Values(std::pair{1.0, false}, std::pair{1.0, true},
                                           std::pair{10.0, false}, std::pair{10.0, true}));

TEST(History, AClockSetBackMovesWhatWasBefore) {
  History history({.resolution = 10});
  fill(history, 0, 100);
  fill(history, 101, 200, kStart - 3600);
  EXPECT_EQ(history.newest(), kStart - 3600 + 200);
  EXPECT_EQ(history.oldest(), kStart - 3600) << "one interval of a second lay between them";
  const Window w = history.window(kStart - 3600 + 50, kStart - 3600 + 150);
  EXPECT_EQ(w.seconds(), 100);
  EXPECT_EQ(w.change("c_total"), 500);
}

TEST(History, WhatHasGoneIsForgottenThoughTheClockWasSetBack) {
  const auto bytes = [](double ahead) {
    History history({.resolution = 1, .length = 100});
    Families families{gauge("g", 1)};
    for (int i = 0; i < 200; i++) families.push_back(gauge("old", i, {{"k", std::to_string(i)}}));
    history.add(kStart + ahead, families);
    history.add(kStart + ahead + 1, {gauge("g", 1)});
    for (int s = 2; s <= 600; s++) history.add(kStart + s, {gauge("g", 1)});
    return history.bytes();
  };
  EXPECT_LT(bytes(1e6), 2 * bytes(0));
}

TEST(History, AClockSetForwardLeavesAGap) {
  History history({.resolution = 10, .length = 7200});
  fill(history, 0, 60);
  fill(history, 61, 120, kStart + 3600);
  EXPECT_EQ(history.window(kStart, kStart + 60).change("c_total"), 300);
  EXPECT_EQ(history.window(kStart, kStart + 3720).change("c_total"), 600);
}

TEST(History, TheSameTimeReplacesAndNonsenseIsLeftOut) {
  History history({.resolution = 1});
  history.add(kStart, {counter("c_total", 1)});
  history.add(kStart, {counter("c_total", 2)});
  history.add(std::nan(""), {counter("c_total", 50)});
  history.add(std::numeric_limits<double>::infinity(), {counter("c_total", 50)});
  history.add(-5, {counter("c_total", 50)});
  history.add(kStart + 1, {counter("c_total", 10)});
  const Window w = history.window(0, 1e12);
  EXPECT_EQ(w.change("c_total"), 8);
  EXPECT_EQ(w.seconds(), 1);
}

TEST(History, ExtremesOfAGaugeAreThoseOfItsNumbers) {
  History history({.resolution = 1});
  const double values[] = {1, std::nan(""), 5, 3, std::nan(""), 4};
  for (int s = 0; s < 6; s++) history.add(kStart + s, {gauge("g", values[s])});
  const Window w = history.window(kStart, kStart + 5);
  ASSERT_EQ(w.find("g").size(), 1U);
  EXPECT_EQ(w.find("g")[0]->least, 3);
  EXPECT_EQ(w.find("g")[0]->most, 5);
}

TEST(History, ACounterThatIsNoNumberForOncePoisonsNothing) {
  History history({.resolution = 1});
  const double values[] = {5, 7, std::nan(""), std::numeric_limits<double>::infinity(), 10, 11};
  for (int s = 0; s < 6; s++) history.add(kStart + s, {counter("c_total", values[s])});
  EXPECT_EQ(history.window(kStart, kStart + 5).change("c_total"), 6);
  EXPECT_EQ(history.window(kStart + 2, kStart + 5).change("c_total"), 4) << "since it was 7";
}

TEST(History, DuplicateSeriesCountOnce) {
  History history({.resolution = 1});
  history.add(kStart, {counter("c_total", 1), counter("c_total", 100)});
  history.add(kStart + 1, {counter("c_total", 3), counter("c_total", 100)});
  EXPECT_EQ(history.window(0, 1e12).series.size(), 1U);
}

TEST(History, OldPointsGoAndAWholeLengthStays) {
  History history({.resolution = 10, .length = 600});
  fill(history, 0, 5000);
  EXPECT_LE(history.oldest(), kStart + 4400);
  EXPECT_GE(history.oldest(), kStart + 4400 - 310) << "groups of 30 points go at once";
  EXPECT_EQ(history.window(kStart + 4400, kStart + 5000).change("c_total"), 3000);
  EXPECT_EQ(history.evicted(), 0U);
}

TEST(History, MemoryIsBoundedAndWhatWentIsCounted) {
  History history({.resolution = 10, .length = 36'000, .most_bytes = 20'000});
  std::mt19937_64 random(1);
  for (int s = 0; s <= 36'000; s += 10) {
    Families families;
    for (int i = 0; i < 20; i++) {
      families.push_back(gauge("g", static_cast<double>(random()) / 3, {{"k", std::to_string(i)}}));
    }
    history.add(kStart + s, families);
    ASSERT_LE(history.bytes(), 20'000U);
  }
  EXPECT_GT(history.bytes(), 8'000U) << "the room is used";
  const double kept = (history.newest() - history.oldest()) / 10;
  EXPECT_GT(kept, 15);
  EXPECT_EQ(history.evicted(), 3600 - static_cast<std::uint64_t>(kept)) << "every point that went";
  const Window w = history.window(0, 1e12);
  EXPECT_EQ(w.series.size(), 20U);
}

TEST(History, AFamilyIsKnownForAsLongAsItIsKept) {
  History history({.resolution = 10, .length = 100});
  EXPECT_FALSE(history.family("c_total"));
  history.add(kStart, {counter("c_total", 1, {{"k", "a"}}), counter("c_total", 1, {{"k", "b"}}),
                       gauge("g", 1)});
  for (int s = 10; s <= 100; s += 10) history.add(kStart + s, {gauge("g", 1)});
  const auto family = history.family("c_total");
  ASSERT_TRUE(family);
  EXPECT_EQ(family->type, metrics::Type::counter);
  ASSERT_EQ(family->samples.size(), 2U);
  EXPECT_EQ(family->samples[1].labels, (testing::Labels{{"k", "b"}}));
  EXPECT_FALSE(history.family("c"));
  for (int s = 110; s <= 200; s += 10) history.add(kStart + s, {gauge("g", 1)});
  EXPECT_FALSE(history.family("c_total"));
  EXPECT_TRUE(history.family("g"));
}

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

TEST(History, WindowsEqualTheDifferenceOfWhatWasAdded) {
  // Random histograms with series that come late; any two points are compared with since().
  History history({.resolution = 10});
  std::mt19937_64 random(11);
  analysis::Histogram h;
  std::vector<analysis::Histogram> at_point;
  for (int s = 0; s <= 1500; s += 10) {
    for (std::uint64_t n = random() % 50; n > 0; n--) h.record(random() >> (16 + random() % 48));
    at_point.push_back(h);
    Families families{histogram("h", h)};
    if (s > 700) families.insert(families.begin(), gauge("late", s));
    history.add(kStart + s, families);
  }
  for (int i = 0; i < 100; i++) {
    const std::size_t a = random() % at_point.size();
    const std::size_t b = random() % at_point.size();
    if (a >= b) continue;
    const auto got =
        history
            .window(kStart + 10.0 * static_cast<double>(a), kStart + 10.0 * static_cast<double>(b))
            .histogram("h");
    const auto want = at_point[b].since(at_point[a]);
    ASSERT_EQ(got.buckets, want.buckets);
    ASSERT_EQ(got.sum_ns, want.sum_ns);
    ASSERT_EQ(got.overflow, want.overflow);
    ASSERT_EQ(got.zero, want.zero);
  }
}

TEST(History, IsReadWhileItIsWritten) {
  History history({.resolution = 1, .length = 60});
  std::atomic<bool> done = false;
  std::thread reader([&] {
    while (!done) {
      const double newest = history.newest();
      const Window w = history.window(newest - 30, newest);
      if (!w.series.empty()) {
        EXPECT_EQ(w.change("c_total"), 5 * w.seconds());
      }
      (void)history.trends({.name = "g", .labels = {}, .quantile = {}}, newest - 30, newest, 5);
    }
  });
  fill(history, 0, 20'000);
  done = true;
  reader.join();
}

// What a series costs for an hour, as the agent records it: every 10 s.
TEST(History, BytesOfASeriesHour) {
  const auto bytes_per_series = [](int series, auto families_at) {
    History history({.resolution = 10, .length = 3600});
    for (int s = 0; s <= 3600; s += 10) history.add(kStart + s, families_at(s, series));
    return static_cast<double>(history.bytes()) / series;
  };
  std::mt19937_64 random(2);
  const double idle = bytes_per_series(100, [](int, int n) {
    Families f;
    for (int i = 0; i < n; i++) f.push_back(gauge("g", i / 3.0, {{"target", std::to_string(i)}}));
    return f;
  });
  const double busy_counter = bytes_per_series(100, [](int s, int n) {
    Families f;
    for (int i = 0; i < n; i++)
      f.push_back(counter("c_total", 1000.0 * s + i, {{"target", std::to_string(i)}}));
    return f;
  });
  std::vector<analysis::Histogram> h(10);
  const double busy_histogram = bytes_per_series(10, [&](int, int n) {
    Families f;
    for (int i = 0; i < n; i++) {
      auto& one = h[static_cast<std::size_t>(i)];
      analysis::Histogram fresh;  // 1,000 values in 10 s, over two octaves and a tail
      for (int k = 0; k < 1000; k++) {
        fresh.record(50'000 + random() % 150'000 + (k % 100 == 0 ? random() % 2'000'000 : 0));
      }
      one.merge(fresh);
      one.min_ns = fresh.min_ns;
      one.max_ns = fresh.max_ns;
      f.push_back(histogram("h_seconds", one, {{"target", std::to_string(i)}}));
    }
    return f;
  });
  std::printf("bytes of a series for an hour: idle %.0f, busy counter %.0f, busy histogram %.0f\n",
              idle, busy_counter, busy_histogram);
  EXPECT_LT(idle, 1'500);
  EXPECT_LT(busy_counter, 2'000);
  EXPECT_LT(busy_histogram, 50'000);
}

}  // namespace
}  // namespace nz::history
