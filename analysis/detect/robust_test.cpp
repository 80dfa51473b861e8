#include "analysis/detect/robust.h"

#include <gtest/gtest.h>

#include "analysis/detect/stabilise.h"
#include "analysis/detect/tail.h"

#include <cmath>
#include <random>

namespace nz::analysis::detect {
namespace {

TEST(Robust, MedianOfOddAndEvenCounts) {
  std::vector<double> odd = {5, 1, 9}, even = {4, 1, 9, 6};
  EXPECT_EQ(median_in_place(odd), 5);
  EXPECT_EQ(median_in_place(even), 5);
  EXPECT_EQ(median_in_place({}), 0);
}

TEST(Robust, SigmaIsThatOfNormalNoiseAndBoundedByWildValues) {
  std::mt19937_64 bits(1);
  std::normal_distribution<double> normal(0, 2);
  std::vector<double> values;
  for (int i = 0; i < 20'000; i++) values.push_back(i % 50 == 0 ? 1e6 : normal(bits));
  EXPECT_NEAR(sigma_about_zero(values), 2, 0.2);
}

TEST(Robust, SpikesGoAndStepsStay) {
  std::vector<double> values(200, 1.0);
  for (std::size_t i = 0; i < values.size(); i++) values[i] += 0.01 * static_cast<double>(i % 7);
  for (std::size_t i = 100; i < values.size(); i++) values[i] += 5;
  values[50] = values[51] = 40;
  const std::vector<double> clean = without_spikes(values, 3, 4);
  EXPECT_LT(clean[50], 2);
  EXPECT_EQ(clean[99], values[99]);
  EXPECT_EQ(clean[100], values[100]);
}

TEST(Robust, ZAndPAreInverse) {
  EXPECT_NEAR(z_of_two_sided_p(0.05), 1.95996, 1e-4);
  EXPECT_NEAR(two_sided_p(z_of_two_sided_p(1e-9)), 1e-9, 1e-13);
}

TEST(Stabiliser, GoesThereAndBack) {
  for (const double unit : {1e-9, 1.0, 1e12}) {
    const Stabiliser s(unit);
    for (const double v : {-3.0, 0.0, 1e-6, 2.5, 1e9}) {
      EXPECT_NEAR(s.backward(s.forward(v)), v, 1e-9 * std::abs(v) + 1e-30);
    }
  }
}

TEST(Tail, SurpriseIsTheLogOfTheTail) {
  std::mt19937_64 bits(2);
  std::normal_distribution<double> normal;
  Tail tail;
  for (int i = 0; i < 50'000; i++) tail.learn(static_cast<float>(std::abs(normal(bits))));
  int beyond = 0;
  for (int i = 0; i < 50'000; i++) {
    const auto v = static_cast<float>(std::abs(normal(bits)));
    beyond += tail.surprise(v) > 3 ? 1 : 0;
    tail.learn(v);
  }
  EXPECT_GT(beyond, 10);  // 50 by chance
  EXPECT_LT(beyond, 200);
  EXPECT_LT(tail.surprise(0.5F), 0.5F);
  EXPECT_GT(tail.surprise(8), 5);
  EXPECT_LT(tail.surprise(3), tail.surprise(4));
}

}  // namespace
}  // namespace nz::analysis::detect
