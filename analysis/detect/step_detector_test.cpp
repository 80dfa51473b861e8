#include "analysis/detect/step_detector.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>
#include <string>
#include <vector>

namespace nz::analysis {
namespace {

constexpr double kStart = 1'704'067'200;  // a Monday

struct Told {
  std::size_t when;
  ChangePoint change;
};

std::vector<Told> told(const std::vector<double>& values) {
  StepDetector detector;
  std::vector<Told> all;
  for (std::size_t i = 0; i < values.size(); i++) {
    const auto c = detector.add(kStart + 10.0 * static_cast<double>(i), values[i]);
    if (c) all.push_back({i, *c});
  }
  return all;
}

std::vector<double> latency(std::size_t n, double cv, std::uint64_t seed) {
  std::mt19937_64 bits(seed);
  std::normal_distribution<double> normal;
  std::vector<double> values;
  for (std::size_t i = 0; i < n; i++) values.push_back(0.001 * std::exp(cv * normal(bits)));
  return values;
}

TEST(StepDetector, TellsALargeStepWithinTwoMinutes) {
  std::vector<double> values = latency(2'000, 0.1, 1);
  for (std::size_t i = 1'000; i < values.size(); i++) values[i] *= 2;
  const std::vector<Told> all = told(values);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_LE(all[0].when, 1'012U);
  EXPECT_NEAR(static_cast<double>(all[0].change.index), 1'000, 2);
  EXPECT_NEAR(all[0].change.size, 1, 0.15);
  EXPECT_NEAR(all[0].change.before, 0.001, 0.0001);
  EXPECT_FALSE(all[0].change.back);
}

TEST(StepDetector, TellsASmallStepLater) {
  // On the fourth day, when days are known.
  std::vector<double> values = latency(36'000, 0.2, 2);
  for (std::size_t i = 30'000; i < values.size(); i++) values[i] *= 1.1;
  const std::vector<Told> all = told(values);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_GT(all[0].when, 30'000U);
  EXPECT_LE(all[0].when, 30'000U + 1'080);
  EXPECT_NEAR(static_cast<double>(all[0].change.index), 30'000, 200);
}

constexpr std::size_t kDay = 8'640;  // points

std::vector<double> with_days(std::vector<double> values, double amplitude) {
  for (std::size_t i = 0; i < values.size(); i++) {
    const double turn = 2 * std::numbers::pi * static_cast<double>(i) / kDay;
    values[i] *= std::exp(amplitude * std::sin(turn));
  }
  return values;
}

// What was before the hour keeps its time of day; an hour off is a step where the day is steep.
TEST(StepDetector, AnHourThatIsMissingIsNoStep) {
  for (const std::uint64_t seed : {11U, 12U, 13U}) {
    std::vector<double> values = with_days(latency(12 * kDay, 0.05, seed), 0.3);
    std::fill_n(values.begin() + 10 * kDay + kDay / 2 - 180, 360, NAN);
    EXPECT_TRUE(told(values).empty()) << seed;
  }
}

// Hours of the first day are not taken for the level of days, which would leave them in the shape.
TEST(StepDetector, ADayIsNoStep) {
  for (const std::uint64_t seed : {11U, 12U, 13U})
    EXPECT_TRUE(told(with_days(latency(8 * kDay, 0.05, seed), 0.3)).empty()) << seed;
}

// It begins within two hours; its beginning leaves the ring of the longest means slowly.
TEST(StepDetector, AFirstWeekendIsNoStep) {
  for (const std::uint64_t seed : {14U, 15U, 16U}) {
    std::vector<double> values = latency(8 * kDay, 0.05, seed);
    for (std::size_t i = 0; i < values.size(); i++) {
      const double hours = static_cast<double>(i) / 360;
      const double weekend = std::min(hours - 119, 169 - hours) / 2;
      values[i] *= 1 - 0.2 * std::clamp(weekend, 0.0, 1.0);
    }
    EXPECT_TRUE(told(values).empty()) << seed;
  }
}

TEST(StepDetector, TellsThatAStepWentBack) {
  std::vector<double> values = latency(3'000, 0.1, 3);
  for (std::size_t i = 1'000; i < 2'000; i++) values[i] *= 1.5;
  const std::vector<Told> all = told(values);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_TRUE(all[1].change.back);
  EXPECT_LE(all[1].when, 2'020U);
}

// As of a statement that loses its index: scans end anywhere in the table.
TEST(StepDetector, TellsAFarLevelThatIsMuchNoisierAsSoon) {
  for (const double noise : {0.02, 0.05, 0.1}) {
    std::vector<double> values = latency(360, 0.002, 6);
    const std::vector<double> noisy = latency(360, noise, 7);
    for (std::size_t i = 340; i < values.size(); i++) values[i] = 100 * noisy[i];
    const std::vector<Told> all = told(values);
    ASSERT_FALSE(all.empty()) << noise;
    EXPECT_LE(all[0].when, 348U) << noise;
    EXPECT_NEAR(static_cast<double>(all[0].change.index), 340, 1) << noise;
    EXPECT_NEAR(all[0].change.after, 0.1, 0.02) << noise;
  }
}

TEST(StepDetector, ASmallStepHidesNoLargeOneAfterIt) {
  std::vector<double> values = latency(1'060, 0.02, 8);
  for (std::size_t i = 1'000; i < values.size(); i++) values[i] *= i < 1'030 ? 1.15 : 20;
  const std::vector<Told> all = told(values);
  ASSERT_GE(all.size(), 2U);
  EXPECT_NEAR(static_cast<double>(all[0].change.index), 1'000, 2);
  EXPECT_NEAR(static_cast<double>(all[1].change.index), 1'030, 2);
  EXPECT_LE(all[1].when, 1'040U);
}

TEST(StepDetector, SaysNothingOfSpikes) {
  std::vector<double> values = latency(20'000, 0.2, 4);
  for (std::size_t i = 500; i < values.size(); i += 500) {
    for (std::size_t k = 0; k < 3; k++) values[i + k - 3] *= 20;
  }
  EXPECT_TRUE(told(values).empty());
}

TEST(StepDetector, SaysNothingOfSpikesNearEachOther) {
  std::vector<double> values = latency(40'000, 0.5, 6);
  for (std::size_t i = 500; i + 10 < values.size(); i += 500) {
    for (const std::size_t wild : {0U, 1U, 2U, 8U, 9U, 10U}) values[i + wild] *= 6;
  }
  EXPECT_TRUE(told(values).empty());
}

TEST(StepDetector, SaysNothingOfAConstantNorOfMissingValues) {
  EXPECT_TRUE(told(std::vector<double>(5'000, 3.0)).empty());
  EXPECT_TRUE(told(std::vector<double>(5'000, 0.0)).empty());
  EXPECT_TRUE(told(std::vector<double>(5'000, NAN)).empty());
  EXPECT_TRUE(told(std::vector<double>(5'000, INFINITY)).empty());
}

TEST(StepDetector, TellsAStepOfWhatNeverMoved) {
  std::vector<double> values(1'000, 3.0);
  for (std::size_t i = 500; i < values.size(); i++) values[i] = 4;
  const std::vector<Told> all = told(values);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].change.index, 500U);
}

// Doubles at 1,000. Whatever was before, it is told, alone and in time.
void expect_the_step_alone(const std::vector<double>& values, const std::string& what) {
  const std::vector<Told> all = told(values);
  ASSERT_EQ(all.size(), 1U) << what << (all.empty() ? ": blind" : ": a false step");
  EXPECT_GE(all[0].when, 1'000U) << what;
  EXPECT_LE(all[0].when, 1'060U) << what;
  EXPECT_NEAR(static_cast<double>(all[0].change.index), 1'000, 10) << what;
  EXPECT_GT(all[0].change.size, 0.2) << what;  // as eight points of that noise have it
}

std::vector<double> doubling(double cv) {
  std::vector<double> values = latency(1'400, cv, 9);
  for (std::size_t i = 1'000; i < values.size(); i++) values[i] *= 2;
  return values;
}

class WarmUp : public testing::TestWithParam<double> {};

TEST_P(WarmUp, WildFirstValuesAreNoStepAndHideNone) {
  for (const std::size_t wild : {1U, 2U, 3U, 6U, 8U}) {
    for (const double factor : {1e6, -1e6, 1e-6, 1e15}) {
      std::vector<double> values = doubling(GetParam());
      for (std::size_t i = 0; i < wild; i++) values[i] *= factor;
      expect_the_step_alone(values, std::to_string(wild) + " times " + std::to_string(factor));
    }
  }
}

TEST_P(WarmUp, WildValuesAmongTheFirstHideNoStep) {
  for (const std::size_t spacing : {2U, 3U, 7U}) {
    std::vector<double> values = doubling(GetParam());
    for (std::size_t i = 0; i < 20; i += spacing) values[i] *= 1e6;
    expect_the_step_alone(values, "each " + std::to_string(spacing));
  }
}

// A service that does nothing yet; its latencies are below what is told of a unit of a second.
TEST_P(WarmUp, ZerosAtFirstHideNoStep) {
  for (const std::size_t zeros : {3U, 32U, 40U, 200U}) {
    std::vector<double> values = doubling(GetParam());
    std::fill_n(values.begin(), zeros, 0.0);
    expect_the_step_alone(values, std::to_string(zeros) + " zeros");
    if (zeros < 32) continue;
    values[5] = values[17] = 1'000;
    expect_the_step_alone(values, std::to_string(zeros) + " zeros with spikes");
  }
}

INSTANTIATE_TEST_SUITE_P(Noise, WarmUp, testing::Values(0.002, 0.02, 0.1, 0.3));

TEST(StepDetector, AWildFirstValueOfWhatNeverMovesHidesNoStep) {
  for (const double wild : {5e6, -5e6, 1.8446744073709552e19, 1e300, -1e300}) {
    std::vector<double> values(1'400, 5.0);
    for (std::size_t i = 1'000; i < values.size(); i++) values[i] = 10;
    for (const std::size_t at : {0U, 4U}) {
      std::vector<double> with = values;
      with[at] = wild;
      expect_the_step_alone(with, std::to_string(wild) + " at " + std::to_string(at));
    }
  }
}

// Errors that begin, work that ends: steps, and no reason to begin anew.
TEST(StepDetector, TellsAStepFromZerosAndToZeros) {
  for (const double level : {0.5, 5.0, 5e6}) {
    for (const std::size_t at : {32U, 200U}) {
      std::vector<double> rises(400, 0.0), falls(400, 0.0);
      std::fill(rises.begin() + static_cast<std::ptrdiff_t>(at), rises.end(), level);
      std::fill_n(falls.begin(), at, level);
      for (const std::vector<double>& values : {rises, falls}) {
        const std::vector<Told> all = told(values);
        ASSERT_EQ(all.size(), 1U) << level << " at " << at;
        EXPECT_EQ(all[0].change.index, at) << level;
      }
    }
  }
}

TEST(StepDetector, SurvivesClocksThatStandOrGoBack) {
  StepDetector detector;
  const std::vector<double> values = latency(1'000, 0.2, 5);
  for (std::size_t i = 0; i < values.size(); i++) {
    detector.add(i % 3 == 0 ? kStart : kStart - 100.0 * static_cast<double>(i), values[i]);
  }
  SUCCEED();
}

TEST(StepDetector, IsSmall) { EXPECT_LE(sizeof(StepDetector), 1'600U); }

}  // namespace
}  // namespace nz::analysis
