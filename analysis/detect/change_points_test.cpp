#include "analysis/detect/change_points.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <random>

namespace nz::analysis {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

std::vector<double> noise(std::size_t n, double level, double sigma, std::uint64_t seed,
                          double phi = 0) {
  std::mt19937_64 bits(seed);
  std::normal_distribution<double> normal;
  std::vector<double> values;
  double ar = normal(bits);
  for (std::size_t i = 0; i < n; i++) {
    ar = phi * ar + std::sqrt(1 - phi * phi) * normal(bits);
    values.push_back(level + sigma * ar);
  }
  return values;
}

TEST(ChangePoints, AreNoneInNothing) {
  EXPECT_TRUE(change_points({}).empty());
  EXPECT_TRUE(change_points(std::vector<double>{1, 2, 3}).empty());
  EXPECT_TRUE(change_points(std::vector<double>(1'000, 5.0)).empty());
  EXPECT_TRUE(change_points(std::vector<double>(1'000, 0.0)).empty());
  EXPECT_TRUE(change_points(std::vector<double>(1'000, kMissing)).empty());
}

TEST(ChangePoints, FindOneStepWithItsSize) {
  std::vector<double> values = noise(2'000, 10, 1, 1);
  for (std::size_t i = 1'200; i < values.size(); i++) values[i] += 5;
  const std::vector<ChangePoint> found = change_points(values);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_NEAR(static_cast<double>(found[0].index), 1'200, 3);
  EXPECT_LE(found[0].earliest, 1'200U);
  EXPECT_GE(found[0].latest, 1'200U);
  EXPECT_NEAR(found[0].before, 10, 0.3);
  EXPECT_NEAR(found[0].after, 15, 0.3);
  EXPECT_NEAR(found[0].size, 0.5, 0.05);
  EXPECT_GT(found[0].confidence, 0.99);
}

TEST(ChangePoints, FindAStepWithoutNoise) {
  std::vector<double> values(40, 5.0);
  for (std::size_t i = 25; i < values.size(); i++) values[i] = 7;
  const std::vector<ChangePoint> found = change_points(values);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].index, 25U);
  EXPECT_NEAR(found[0].before, 5, 1e-9);
  EXPECT_NEAR(found[0].after, 7, 1e-9);
}

TEST(ChangePoints, FindSeveralInAShortSeries) {
  std::vector<double> values = noise(120, 100, 2, 3);
  for (std::size_t i = 40; i < 80; i++) values[i] += 20;
  for (std::size_t i = 80; i < 120; i++) values[i] -= 15;
  const std::vector<ChangePoint> found = change_points(values);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_NEAR(static_cast<double>(found[0].index), 40, 1);
  EXPECT_NEAR(static_cast<double>(found[1].index), 80, 1);
}

TEST(ChangePoints, AreNotSpikes) {
  std::vector<double> values = noise(2'000, 10, 1, 4);
  for (const std::size_t at : {300U, 301U, 302U, 900U, 1'500U, 1'501U}) values[at] = 200;
  EXPECT_TRUE(change_points(values).empty());
}

TEST(ChangePoints, AreRareInAutocorrelatedNoise) {
  std::size_t found = 0;
  for (std::uint64_t seed = 0; seed < 20; seed++) {
    found += change_points(noise(3'000, 10, 1, 100 + seed, 0.6)).size();
  }
  EXPECT_LE(found, 3U);
}

TEST(ChangePoints, AreNotSeasons) {
  std::vector<double> values = noise(20'000, 10, 0.5, 5);
  for (std::size_t i = 0; i < values.size(); i++) {
    values[i] += 3 * std::sin(2 * std::numbers::pi * static_cast<double>(i) / 1'440);
  }
  EXPECT_TRUE(change_points(values).empty());
  for (std::size_t i = 9'000; i < values.size(); i++) values[i] += 1;
  const std::vector<ChangePoint> found = change_points(values);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_NEAR(static_cast<double>(found[0].index), 9'000, 60);
}

TEST(ChangePoints, AreNotDrift) {
  std::vector<double> values = noise(5'000, 10, 1, 6);
  for (std::size_t i = 0; i < values.size(); i++) values[i] += 4.0 * static_cast<double>(i) / 5'000;
  EXPECT_TRUE(change_points(values).empty());
}

TEST(ChangePoints, CountMissingValuesAsPlaces) {
  std::vector<double> values = noise(1'000, 10, 1, 7);
  for (std::size_t i = 600; i < values.size(); i++) values[i] += 6;
  for (std::size_t i = 100; i < 250; i++) values[i] = kMissing;
  values[700] = std::numeric_limits<double>::infinity();
  const std::vector<ChangePoint> found = change_points(values);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_NEAR(static_cast<double>(found[0].index), 600, 3);
}

TEST(ChangePoints, OfLevelZeroHaveNoSize) {
  std::vector<double> values(200, 0.0);
  for (std::size_t i = 100; i < values.size(); i++) values[i] = 3;
  const std::vector<ChangePoint> found = change_points(values);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].before, 0);
  EXPECT_TRUE(std::isnan(found[0].size));
}

TEST(ChangePoints, SurviveWildNumbers) {
  std::vector<double> values = noise(500, 0, 1, 8);
  values[10] = 1e308;
  values[11] = -1e308;
  values[12] = 5e-324;
  EXPECT_NO_THROW(change_points(values));
  for (double& v : values) v *= 1e300;
  EXPECT_NO_THROW(change_points(values));
}

}  // namespace
}  // namespace nz::analysis
