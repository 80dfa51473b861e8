#include "analysis/baseline/hour_of_week.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <random>

namespace nz::analysis {
namespace {

constexpr double kHour = 3600, kDay = 24 * kHour, kWeek = 7 * kDay;
constexpr double kMonday = 1'700'438'400;  // 2023-11-20T00:00:00Z

HourOfWeek::Options latency() {
  HourOfWeek::Options o;
  o.scale = Scale::log;
  return o;
}

// 1 ms by day, a third of it by night, twice that on weekends.
double usual(double at) {
  const double t = at - kMonday;
  const bool weekend = std::fmod(t / kDay, 7) >= 5;
  return 1e-3 * (weekend ? 2 : 1) * std::exp(std::sin(2 * std::numbers::pi * t / kDay));
}

// A point a minute.
class Feed {
 public:
  explicit Feed(HourOfWeek& baseline) : baseline_(baseline) {}
  template <class Value>
  void run(double from, double to, const Value& value, std::span<const TimeRange> held = {}) {
    for (double at = from; at < to; at += 60) {
      if (const auto hour = points_.add(at, value(at) * std::exp(noise_(random_))))
        baseline_.add(*hour, held);
    }
  }

 private:
  HourOfWeek& baseline_;
  HourPoints points_{Scale::log};
  std::mt19937_64 random_{1};
  std::normal_distribution<double> noise_{0, 0.1};
};

TEST(HourPoints, AnHourIsItsMedianAndSpread) {
  HourPoints points(Scale::linear);
  for (int i = 0; i < 5; i++) EXPECT_FALSE(points.add(kMonday + i, i));
  const auto hour = points.add(kMonday + kHour, 100);
  ASSERT_TRUE(hour);
  EXPECT_EQ(hour->hour, static_cast<std::int64_t>(kMonday / kHour));
  EXPECT_EQ(hour->median, 2);
  EXPECT_NEAR(hour->spread, 1.4826, 1e-4);
  EXPECT_EQ(hour->points, 5);
}

TEST(HourPoints, AnyResolutionFits) {
  HourPoints points(Scale::linear);
  for (int i = 0; i < 3600; i++) points.add(kMonday + i, i);
  const auto hour = points.summary();
  ASSERT_TRUE(hour);
  EXPECT_NEAR(hour->median, 1800, 70);
  EXPECT_EQ(hour->points, 3600);
}

TEST(HourPoints, WhatIsNoNumberOrFromThePastIsLeftOut) {
  HourPoints points(Scale::log);
  points.add(kMonday + kHour, 1);
  points.add(kMonday + kHour + 1, 0);
  points.add(kMonday + kHour + 2, std::nan(""));
  points.add(std::numeric_limits<double>::infinity(), 1);
  EXPECT_FALSE(points.add(kMonday, 1));
  EXPECT_FALSE(points.summary());
  EXPECT_FALSE(points.add(kMonday + 2 * kHour, 1)) << "one point is no hour";
}

TEST(HourOfWeek, ThreeWeeksTellTheHourOfTheWeek) {
  HourOfWeek baseline(latency());
  Feed(baseline).run(kMonday, kMonday + 4 * kWeek, usual);
  for (const double hour : {3.0, 50.0, 130.0}) {
    const double at = kMonday + 4 * kWeek + hour * kHour + 1800;
    const Expected e = baseline.expected(at);
    EXPECT_EQ(e.basis, Basis::hour_of_week);
    EXPECT_NEAR(e.median / usual(at), 1, 0.06);
    EXPECT_LT(std::fabs(e.deviations(usual(at) * 1.1)), 2.5);
    EXPECT_GT(e.deviations(usual(at) * 2), 3.5);
    EXPECT_LT(e.low, usual(at));
    EXPECT_GT(e.high, usual(at));
    EXPECT_GT(e.sure, 0.5);
  }
}

TEST(HourOfWeek, ThinCellsFallBack) {
  HourOfWeek baseline(latency());
  Feed feed(baseline);
  EXPECT_EQ(baseline.expected(kMonday).basis, Basis::none);
  EXPECT_EQ(baseline.expected(kMonday).deviations(1), 0);
  feed.run(kMonday, kMonday + 14 * kHour, usual);
  EXPECT_EQ(baseline.expected(kMonday + 20 * kHour).basis, Basis::all);
  feed.run(kMonday + 14 * kHour, kMonday + kWeek + kHour, usual);
  const Expected working = baseline.expected(kMonday + kWeek + 9 * kHour);
  EXPECT_EQ(working.basis, Basis::kind_of_day);
  EXPECT_NEAR(working.median / usual(kMonday + 9.5 * kHour), 1, 0.1);
  EXPECT_LT(working.sure, 0.6);
  EXPECT_EQ(baseline.expected(kMonday + kWeek + 5 * kDay).basis, Basis::hour_of_day);
}

TEST(HourOfWeek, WeeksThatWereBadAndNotToldDoNotMoveTheMedian) {
  HourOfWeek baseline(latency());
  Feed feed(baseline);
  feed.run(kMonday, kMonday + 5 * kWeek, usual);
  feed.run(kMonday + 5 * kWeek, kMonday + 7 * kWeek, [](double at) { return 3 * usual(at); });
  const double at = kMonday + 7 * kWeek + 10.5 * kHour;
  EXPECT_NEAR(baseline.expected(at).median / usual(at), 1, 0.2);
}

TEST(HourOfWeek, AToldRegressionNeverTeaches) {
  HourOfWeek baseline(latency());
  Feed feed(baseline);
  const double since = kMonday + 3 * kWeek;
  feed.run(kMonday, since, usual);
  const std::vector<TimeRange> open{{since, std::numeric_limits<double>::infinity()}};
  feed.run(
      since, since + 10 * kDay, [](double at) { return 3 * usual(at); }, open);
  const double at = since + 10 * kDay + 1800;
  EXPECT_GT(baseline.expected(at).deviations(3 * usual(at)), 6);
  EXPECT_GE(baseline.held(), 238U);
}

TEST(HourOfWeek, WhatComesToLightLaterIsUnlearnt) {
  HourOfWeek baseline(latency());
  Feed feed(baseline);
  feed.run(kMonday, kMonday + kWeek, usual);
  feed.run(kMonday + kWeek, kMonday + 4 * kWeek, [](double at) { return 3 * usual(at); });
  const double at = kMonday + 4 * kWeek + 10.5 * kHour;
  EXPECT_GT(baseline.expected(at).median, 2 * usual(at));
  const std::vector<TimeRange> range{{kMonday + kWeek, kMonday + 4 * kWeek}};
  baseline.hold_out(range);
  EXPECT_NEAR(baseline.expected(at).median / usual(at), 1, 0.2);
}

TEST(HourOfWeek, WhatLastsFourteenDaysIsNormal) {
  HourOfWeek baseline(latency());
  Feed feed(baseline);
  const double since = kMonday + 3 * kWeek;
  feed.run(kMonday, since, usual);
  const std::vector<TimeRange> open{{since, std::numeric_limits<double>::infinity()}};
  feed.run(
      since, since + 14 * kDay + 2 * kHour, [](double at) { return 3 * usual(at); }, open);
  const double at = since + 14 * kDay + 10.5 * kHour;
  const Expected e = baseline.expected(at);
  EXPECT_EQ(e.basis, Basis::kind_of_day) << "two weeks are too few for the hour of the week";
  EXPECT_NEAR(e.median / (3 * usual(at)), 1, 0.2);
}

TEST(HourOfWeek, AcceptedAtOnce) {
  HourOfWeek baseline(latency());
  Feed feed(baseline);
  const double since = kMonday + 3 * kWeek;
  feed.run(kMonday, since, usual);
  const std::vector<TimeRange> open{{since, std::numeric_limits<double>::infinity()}};
  feed.run(
      since, since + 2 * kDay, [](double at) { return 3 * usual(at); }, open);
  baseline.accept(since);
  EXPECT_EQ(baseline.held(), 0U);
  EXPECT_EQ(baseline.expected(since + 3 * kDay).basis, Basis::all);
}

TEST(HourOfWeek, IsBounded) {
  HourOfWeek baseline(latency());
  for (std::int64_t hour = 472344; hour < 472344 + 5000; hour++)
    baseline.add({hour, 1.0F, 0.1F, 60, false});
  EXPECT_EQ(baseline.hours(), 1344U);
  EXPECT_LE(baseline.blob().size(), 12U * 1024);
}

TEST(HourOfWeek, ClocksThatGoBackAreLeftOut) {
  HourOfWeek baseline(latency());
  baseline.add({472400, 1.0F, 0.1F, 60, false});
  baseline.add({472300, 1.0F, 0.1F, 60, false});
  baseline.add({-5, 1.0F, 0.1F, 60, false});
  EXPECT_EQ(baseline.hours(), 1U);
}

TEST(HourOfWeek, ConstantSeriesAreNotInfinitelySure) {
  HourOfWeek::Options o;
  HourOfWeek baseline(o);
  for (std::int64_t hour = 472344; hour < 472344 + 1000; hour++)
    baseline.add({hour, 50.0F, 0.0F, 60, false});
  const Expected e = baseline.expected(472344.0 * kHour + 1000 * kHour);
  EXPECT_EQ(e.median, 50);
  EXPECT_TRUE(std::isfinite(e.deviations(51)));
  EXPECT_GT(e.deviations(51), 5);
}

TEST(HourOfWeek, BlobsComeBack) {
  HourOfWeek baseline(latency());
  Feed feed(baseline);
  feed.run(kMonday, kMonday + 2 * kWeek, usual);
  const std::vector<TimeRange> range{{kMonday, kMonday + kDay}};
  baseline.hold_out(range);
  const auto back = HourOfWeek::from_blob(baseline.blob(), latency());
  ASSERT_TRUE(back);
  EXPECT_EQ(back->hours(), baseline.hours());
  EXPECT_EQ(back->held(), 24U);
  const double at = kMonday + 2 * kWeek + 7 * kHour;
  EXPECT_EQ(back->expected(at).median, baseline.expected(at).median);
  EXPECT_NEAR(back->expected(at).spread, baseline.expected(at).spread, 0.01);
  EXPECT_EQ(back->blob(), baseline.blob());
}

TEST(HourOfWeek, DamagedBlobsAreRefused) {
  HourOfWeek baseline(latency());
  Feed feed(baseline);
  feed.run(kMonday, kMonday + kDay, usual);
  const std::string blob = baseline.blob();
  for (std::size_t n = 0; n < blob.size(); n++)
    EXPECT_FALSE(HourOfWeek::from_blob(blob.substr(0, n), latency())) << n;
  EXPECT_FALSE(HourOfWeek::from_blob(blob + "x", latency()));
  EXPECT_FALSE(HourOfWeek::from_blob(std::string(100, '\xff'), latency()));
}

TEST(HourOfWeek, HoursThatHaveNotBeenAreForgotten) {
  HourOfWeek baseline(latency());
  Feed(baseline).run(kMonday, kMonday + kDay, usual);
  baseline.forget_after(kMonday + 5 * kHour - 1);
  EXPECT_EQ(baseline.hours(), 5U);
  EXPECT_EQ(baseline.expected(kMonday + kDay).basis, Basis::none);
}

}  // namespace
}  // namespace nz::analysis
