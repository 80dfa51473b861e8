#include "analysis/detect/anomaly.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <random>
#include <vector>

#include "analysis/detect/step_detector.h"

namespace nz::analysis {
namespace {

std::vector<double> wave(std::size_t n, double noise, std::uint64_t seed) {
  std::mt19937_64 bits(seed);
  std::normal_distribution<double> normal;
  std::vector<double> values;
  for (std::size_t i = 0; i < n; i++) {
    const double phase = 2 * std::numbers::pi * static_cast<double>(i) / 50;
    values.push_back(10 + std::sin(phase) + noise * normal(bits));
  }
  return values;
}

std::vector<double> scores(const std::vector<double>& values) {
  AnomalyDetector detector;
  std::vector<double> all;
  for (std::size_t i = 0; i < values.size(); i++) {
    all.push_back(detector.score(static_cast<double>(i), values[i]));
  }
  return all;
}

double highest(const std::vector<double>& score, std::size_t from, std::size_t to) {
  double most = 0;
  for (std::size_t i = from; i < to; i++) most = std::max(most, score[i]);
  return most;
}

TEST(Anomaly, ScoresAreProbabilities) {
  std::vector<double> values = wave(3'000, 0.1, 1);
  values[1'500] = 1e300;
  values[1'501] = -1e300;
  values[1'502] = NAN;
  values[1'503] = INFINITY;
  for (const double s : scores(values)) {
    EXPECT_GE(s, 0);
    EXPECT_LE(s, 1);
  }
}

TEST(Anomaly, WhatIsNoNumberLeavesNoTrace) {
  const std::vector<double> values = wave(2'000, 0.1, 7);
  AnomalyDetector plain, holed;
  for (std::size_t i = 0; i < values.size(); i++) {
    const auto at = static_cast<double>(i);
    if (i % 7 == 3) EXPECT_EQ(holed.score(at, NAN), 0);
    if (i % 11 == 5) EXPECT_EQ(holed.score(at, INFINITY), i < 16 ? 0 : 1) << i;
    if (i % 13 == 6) EXPECT_EQ(holed.score(at, -INFINITY), i < 16 ? 0 : 1) << i;
    ASSERT_EQ(holed.score(at, values[i]), plain.score(at, values[i])) << i;
  }
  EXPECT_EQ(holed.expected(), plain.expected());
}

TEST(Anomaly, WildFirstValuesDoNotSpoilTheRest) {
  for (const double wild : {1e12, 1e39, 1e300, -1e300}) {
    for (const std::size_t place : {0U, 5U, 14U}) {
      std::vector<double> values = wave(5'000, 0.1, 8);
      values[place] = wild;
      values[place + 1] = -wild;
      values[4'000] += 5;
      const std::vector<double> s = scores(values);
      for (const double score : s) ASSERT_TRUE(score >= 0 && score <= 1) << wild;
      EXPECT_GE(s[4'000], 0.9) << wild << " at " << place;
      EXPECT_LT(highest(s, 3'000, 3'990), 0.999) << wild << " at " << place;
    }
  }
}

TEST(Anomaly, TimesMayBeAnyNumbers) {
  AnomalyDetector detector;
  const std::vector<double> values = wave(500, 0.1, 9);
  for (std::size_t i = 0; i < values.size(); i++) {
    const double score = detector.score(1e300 + static_cast<double>(i) * 1e299, values[i]);
    ASSERT_TRUE(score >= 0 && score <= 1) << i;
  }
}

TEST(Anomaly, ASpikeScoresHighAndTheRestRarelyDoes) {
  std::vector<double> values = wave(5'000, 0.1, 2);
  values[4'000] += 3;
  const std::vector<double> s = scores(values);
  EXPECT_GE(s[4'000], 0.98);
  std::size_t alarms = 0;
  for (std::size_t i = 0; i < 3'990; i++) alarms += s[i] >= 0.99 ? 1 : 0;
  EXPECT_LE(alarms, 2U);
}

// No value can be told from one that comes each month by those who saw only minutes.
TEST(Anomaly, OneInAMonthIsToldOnceEnoughWasSeen) {
  const auto told_after = [](std::size_t seen) {
    int told = 0;
    for (std::uint32_t seed = 0; seed < 20; seed++) {
      std::mt19937 bits(seed);
      std::lognormal_distribution<double> latency(0, 0.05);
      std::vector<double> values;
      for (std::size_t i = 0; i < seen + 4; i++)
        values.push_back(1e-3 * latency(bits) * (i == seen || i == seen + 1 ? 20 : 1));
      told += highest(scores(values), seen, values.size()) >= 0.99 ? 1 : 0;
    }
    return told;
  };
  EXPECT_EQ(told_after(100), 0);
  EXPECT_GE(told_after(600), 18);
}

TEST(Anomaly, AValueThatIsUsualElsewhereInTheCycleIsOddHere) {
  std::vector<double> values = wave(6'000, 0.05, 3);
  const std::size_t top = 5'012;  // a quarter of a cycle of 50 after its begin
  values[top] = 9;
  EXPECT_GE(scores(values)[top], 0.85);
}

TEST(Anomaly, ASeriesThatStopsMovingIsOdd) {
  std::vector<double> values = wave(4'000, 0.2, 4);
  for (std::size_t i = 3'000; i < 3'060; i++) values[i] = values[2'999];
  EXPECT_GE(highest(scores(values), 3'000, 3'060), 0.95);
}

TEST(Anomaly, ANewLevelBecomesUsual) {
  std::vector<double> values = wave(8'000, 0.1, 5);
  for (std::size_t i = 4'000; i < values.size(); i++) values[i] += 5;
  const std::vector<double> s = scores(values);
  EXPECT_GE(highest(s, 4'000, 4'020), 0.99);
  EXPECT_LT(highest(s, 7'000, 8'000), 0.995);
}

TEST(Anomaly, NothingIsOddInAConstant) {
  EXPECT_LT(highest(scores(std::vector<double>(2'000, 7.0)), 0, 2'000), 0.9);
  std::vector<double> values(2'000, 7.0);
  values[1'500] = 8;
  EXPECT_GE(scores(values)[1'500], 0.9);
}

TEST(Anomaly, SaysWhatItExpected) {
  AnomalyDetector detector;
  EXPECT_TRUE(std::isnan(detector.expected()));
  const std::vector<double> values = wave(3'000, 0.05, 6);
  double error = 0;
  for (std::size_t i = 0; i < values.size(); i++) {
    detector.score(static_cast<double>(i), values[i]);
    if (i >= 2'000) error += std::abs(detector.expected() - values[i]) / 1'000;
  }
  EXPECT_LT(error, 0.1);
}

TEST(Anomaly, FitsWithTheStepDetectorIntoFourKilobytes) {
  EXPECT_LE(sizeof(AnomalyDetector) + sizeof(StepDetector), 4'096U);
}

}  // namespace
}  // namespace nz::analysis
