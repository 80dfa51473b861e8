#include "analysis/trend/trend.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <random>

#include "analysis/trend/forecast.h"
#include "analysis/trend/season.h"

namespace nz::analysis {
namespace {

constexpr double kDay = 86400, kHour = 3600;
constexpr double kMonday = 1'700'438'400;  // 2023-11-20T00:00:00Z

template <class Value>
Series made(std::size_t n, double step, const Value& value) {
  Series s;
  for (std::size_t i = 0; i < n; i++) {
    s.at.push_back(kMonday + static_cast<double>(i) * step);
    s.value.push_back(value(s.at.back() - kMonday));
  }
  return s;
}

class Noise {
 public:
  explicit Noise(double sigma, std::uint64_t seed = 1) : random_(seed), normal_(0, sigma) {}
  double operator()() { return normal_(random_); }

 private:
  std::mt19937_64 random_;
  std::normal_distribution<double> normal_;
};

double daily(double t) { return std::sin(2 * std::numbers::pi * t / kDay); }

TEST(Trend, OfALineInNoiseWithOutliers) {
  Noise noise(1);
  int i = 0;
  const Series s = made(
      500, 60, [&](double t) { return 10 + 0.001 * t + noise() + (++i % 10 == 0 ? 1000 : 0); });
  const TrendFit fit = fit_trend(s);
  EXPECT_TRUE(fit.significant);
  EXPECT_NEAR(fit.slope, 0.001, 0.0001);
  EXPECT_LE(fit.slope_least, 0.001);
  EXPECT_GE(fit.slope_most, 0.001);
  EXPECT_GT(fit.slope_least, 0.0008);
  EXPECT_LT(fit.slope_most, 0.0012);
  EXPECT_NEAR(fit.spread, 1, 0.3);
  EXPECT_NEAR(fit.value_at(kMonday), 10, 0.5);
}

TEST(Trend, NothingOneConstantAndFew) {
  EXPECT_EQ(fit_trend({}).note, "there is no value");
  const TrendFit one = fit_trend({{1}, {2}});
  EXPECT_FALSE(one.significant);
  EXPECT_EQ(one.middle, 2);
  EXPECT_EQ(fit_trend(made(100, 1, [](double) { return 5.0; })).note, "all values are the same");
  const TrendFit few = fit_trend(made(7, 1, [](double t) { return t; }));
  EXPECT_FALSE(few.significant);
  EXPECT_DOUBLE_EQ(few.slope, 1);
  EXPECT_FALSE(few.note.empty());
}

TEST(Trend, MissingValuesAndEqualTimesAreNoTrouble) {
  Series s = made(200, 60, [](double t) { return t; });
  for (std::size_t i = 0; i < s.value.size(); i += 7) s.value[i] = std::nan("");
  s.value[50] = std::numeric_limits<double>::infinity();
  s.at[101] = s.at[100];
  const TrendFit fit = fit_trend(s);
  EXPECT_TRUE(fit.significant);
  EXPECT_NEAR(fit.slope, 1, 0.01);
}

TEST(Trend, ADayIsFoundAndDoesNotTiltTheLine) {
  Noise noise(1);
  // Ends at the top of the third but last quarter: a plain fit sees the season's slope too.
  const Series s = made(30 * 24 + 6, kHour,
                        [&](double t) { return 100 + 20 * daily(t) + 0.1 * t / kDay + noise(); });
  const TrendFit fit = fit_trend(s);
  EXPECT_EQ(fit.season, kDay);
  EXPECT_GT(fit.season_gain, 0.5);
  EXPECT_TRUE(fit.significant);
  EXPECT_NEAR(fit.slope * kDay, 0.1, 0.02);
}

TEST(Trend, ASeasonAloneIsNoTrend) {
  int significant = 0;
  for (std::uint64_t seed = 1; seed <= 20; seed++) {
    Noise noise(2, seed);
    const Series s =
        made(14 * 24 + 6, kHour, [&](double t) { return 100 + 20 * daily(t) + noise(); });
    if (fit_trend(s).significant) significant++;
  }
  EXPECT_LE(significant, 4);
}

TEST(Season, AWeekIsToldFromADay) {
  Noise noise(1);
  const Series s = made(6 * 7 * 24, kHour, [&](double t) {
    const bool weekend = std::fmod(t / kDay, 7) >= 5;
    return (weekend ? 5 : 100 + 20 * daily(t)) + noise();
  });
  EXPECT_EQ(find_season(s, true).period, 7 * kDay);
}

TEST(Season, AnyPeriodIsFoundWithoutAClock) {
  Noise noise(0.3);
  Series s =
      made(2000, 1, [&](double t) { return std::sin(2 * std::numbers::pi * t / 50) + noise(); });
  EXPECT_NEAR(find_season(s, false).period, 50, 1);
}

TEST(Season, AutocorrelationIsNone) {
  int found = 0;
  for (std::uint64_t seed = 1; seed <= 50; seed++) {
    Noise noise(1, seed);
    double x = 0;
    const Series s = made(14 * 24, kHour, [&](double) { return x = 0.6 * x + noise(); });
    if (find_season(s, true).period > 0) found++;
  }
  EXPECT_LE(found, 5);
}

TEST(Trend, AMillionPointsAreReducedNotCut) {
  Noise noise(5);
  const Series s = made(1'000'000, 10, [&](double t) { return 3e-6 * t + noise(); });
  const TrendFit fit = fit_trend(s);
  EXPECT_TRUE(fit.significant);
  EXPECT_NEAR(fit.slope, 3e-6, 3e-8);
  EXPECT_EQ(fit.points, 1'000'000U);
}

TEST(Forecast, ADiskThatFills) {
  Noise noise(0.5);
  const Series s = made(10 * 24, kHour, [&](double t) { return 50 + t / kDay + noise(); });
  const Forecast f = forecast(s, 90, Bound::upper);
  ASSERT_EQ(f.outcome, Forecast::Outcome::ahead);
  EXPECT_NEAR((f.likeliest - kMonday) / kDay, 40, 2);
  EXPECT_LE(f.earliest, kMonday + 40 * kDay);
  EXPECT_GE(f.latest, kMonday + 40 * kDay);
  EXPECT_LT(f.latest - f.earliest, 8 * kDay);
  EXPECT_NEAR(f.level, 60, 0.5);
}

TEST(Forecast, FreeSpaceThatShrinksReachesZero) {
  const Series s = made(100, kHour, [](double t) { return 1000 - t / kHour; });
  const Forecast f = forecast(s, 0);
  ASSERT_EQ(f.outcome, Forecast::Outcome::ahead);
  EXPECT_NEAR((f.likeliest - kMonday) / kHour, 1000, 1);
}

TEST(Forecast, AwayThereAlreadyAndNoTrend) {
  const Series rises = made(100, kHour, [](double t) { return t / kHour; });
  EXPECT_EQ(forecast(rises, -5).outcome, Forecast::Outcome::away);
  EXPECT_EQ(forecast(rises, 50, Bound::upper).outcome, Forecast::Outcome::reached);
  EXPECT_EQ(forecast(rises, 200, Bound::lower).outcome, Forecast::Outcome::reached);
  EXPECT_EQ(forecast({}, 50).outcome, Forecast::Outcome::no_trend);
}

TEST(Forecast, NoiseIsNone) {
  int told = 0;
  for (std::uint64_t seed = 1; seed <= 100; seed++) {
    Noise noise(1, seed);
    const Series flat = made(200, kHour, [&](double) { return noise(); });
    if (forecast(flat, 50).outcome != Forecast::Outcome::no_trend) told++;
  }
  EXPECT_LE(told, 12);  // 5 % of the wholes, and of the halves that differ
}

TEST(Forecast, TheIntervalHoldsTheTruth) {
  int ahead = 0, held = 0;
  for (std::uint64_t seed = 1; seed <= 100; seed++) {
    Noise noise(10, seed);
    const Series s = made(200, kHour, [&](double t) { return 0.2 * t / kHour + noise(); });
    const Forecast f = forecast(s, 100, Bound::upper);
    if (f.outcome != Forecast::Outcome::ahead) continue;
    ahead++;
    const double truth = kMonday + 500 * kHour;
    if (f.earliest <= truth && truth <= f.latest) held++;
  }
  EXPECT_GE(ahead, 95);
  EXPECT_GE(held, ahead * 85 / 100);
}

TEST(Forecast, GrowthThatBeganLatelyIsNotAveragedAway) {
  Noise noise(0.2);
  const Series s =
      made(40 * 24, kHour, [&](double t) { return 50 + std::max(0.0, t / kDay - 30) + noise(); });
  const Forecast f = forecast(s, 80, Bound::upper);
  ASSERT_EQ(f.outcome, Forecast::Outcome::ahead);
  EXPECT_TRUE(f.bent);
  EXPECT_NEAR((f.likeliest - kMonday) / kDay, 60, 4);
}

TEST(Forecast, GrowthThatEndedIsNoForecast) {
  Noise noise(0.2);
  const Series s =
      made(40 * 24, kHour, [&](double t) { return 50 + std::min(20.0, t / kDay) + noise(); });
  EXPECT_EQ(forecast(s, 100, Bound::upper).outcome, Forecast::Outcome::no_trend);
}

}  // namespace
}  // namespace nz::analysis
