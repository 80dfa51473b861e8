#include "analysis/detect/season.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <random>

namespace nz::analysis::detect {
namespace {

std::vector<double> noise(std::size_t n, std::uint64_t seed) {
  std::mt19937_64 bits(seed);
  std::normal_distribution<double> normal;
  std::vector<double> values;
  for (std::size_t i = 0; i < n; i++) values.push_back(normal(bits));
  return values;
}

double square(const std::vector<double>& values) {
  double sum = 0;
  for (const double v : values) sum += v * v;
  return sum / static_cast<double>(values.size());
}

TEST(Season, IsFoundAndTakenOut) {
  std::vector<double> values = noise(14'400, 1);
  for (std::size_t i = 0; i < values.size(); i++) {
    values[i] += 2 * std::sin(2 * std::numbers::pi * static_cast<double>(i) / 1'440);
  }
  const std::vector<Season> found = remove_seasons(values, {});
  ASSERT_GE(found.size(), 1U);
  EXPECT_NEAR(found[0].period, 1'440, 15);
  EXPECT_LT(square(values), 1.15);
}

TEST(Season, IsTriedWhereItsLengthIsTold) {
  std::vector<double> values = noise(24 * 20, 2);
  for (std::size_t i = 0; i < values.size(); i++) values[i] += i % 24 == 9 ? 5 : 0;
  const std::vector<double> periods = {24};
  ASSERT_EQ(remove_seasons(values, periods).size(), 1U);
  EXPECT_LT(square(values), 1.3);
}

TEST(Season, IsRarelyFoundInNoise) {
  int found = 0;
  for (std::uint64_t seed = 10; seed < 30; seed++) {
    std::vector<double> values = noise(5'000, seed);
    found += remove_seasons(values, {}).empty() ? 0 : 1;
  }
  EXPECT_LE(found, 4);
}

TEST(Season, LeavesAStep) {
  std::vector<double> values = noise(14'400, 3);
  for (std::size_t i = 0; i < values.size(); i++) {
    values[i] += 2 * std::sin(2 * std::numbers::pi * static_cast<double>(i) / 1'440);
    if (i >= 7'000) values[i] += 3;
  }
  remove_seasons(values, {});
  double before = 0, after = 0;
  for (std::size_t i = 0; i < 7'000; i++) before += values[i] / 7'000;
  for (std::size_t i = 7'000; i < 14'400; i++) after += values[i] / 7'400;
  EXPECT_NEAR(after - before, 3, 0.2);
}

}  // namespace
}  // namespace nz::analysis::detect
