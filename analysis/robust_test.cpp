#include "analysis/robust.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace nz::analysis::robust {
namespace {

TEST(Robust, MedianOfOddEvenAndNothing) {
  EXPECT_EQ(median({3, 1, 2}), 2);
  EXPECT_EQ(median({4, 1, 3, 2}), 2.5);
  EXPECT_EQ(median({7}), 7);
  EXPECT_TRUE(std::isnan(median({})));
}

TEST(Robust, MedianInPlace) {
  std::vector<double> odd = {5, 1, 9}, even = {4, 1, 9, 6};
  EXPECT_EQ(median_in_place(odd), 5);
  EXPECT_EQ(median_in_place(even), 5);
  EXPECT_TRUE(std::isnan(median_in_place({})));
}

TEST(Robust, MedianOfTheLargestNumbersDoesNotOverflow) {
  EXPECT_EQ(median({1.7e308, 1.7e308}), 1.7e308);
}

TEST(Robust, QuantileInterpolates) {
  EXPECT_EQ(quantile({10, 20, 30, 40, 50}, 0.5), 30);
  EXPECT_DOUBLE_EQ(quantile({10, 20, 30, 40, 50}, 0.1), 14);
  EXPECT_EQ(quantile({10, 20}, 1), 20);
  EXPECT_EQ(quantile({10, 20}, -1), 10);
}

TEST(Robust, SigmaIgnoresOneWildValue) {
  // Distances to 3: 2, 1, 0, 1, 997; their median is 1.
  EXPECT_DOUBLE_EQ(sigma({1, 2, 3, 4, 1000}, 3), kMadToSigma);
}

TEST(Robust, SigmaIsThatOfNormalNoiseAndBoundedByWildValues) {
  std::mt19937_64 bits(1);
  std::normal_distribution<double> normal(0, 2);
  std::vector<double> values;
  for (int i = 0; i < 20'000; i++) values.push_back(i % 50 == 0 ? 1e6 : normal(bits));
  EXPECT_NEAR(sigma_about_zero(values), 2, 0.2);
  EXPECT_EQ(sigma_about_zero({}), 0);
  std::vector<double> rounded = {0, 0, 0, 2};
  EXPECT_EQ(sigma_about_zero(rounded), 1) << "the plain one";
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

TEST(Robust, NormalTails) {
  EXPECT_NEAR(two_sided_p(kNormal95), 0.05, 1e-12);
  EXPECT_NEAR(two_sided_p(-kNormal99), 0.01, 1e-12);
  EXPECT_EQ(two_sided_p(0), 1);
}

TEST(Robust, ZAndPAreInverse) {
  EXPECT_NEAR(z_of_two_sided_p(0.05), kNormal95, 1e-4);
  EXPECT_NEAR(two_sided_p(z_of_two_sided_p(1e-9)), 1e-9, 1e-13);
}

// Critical values of Student's t for 5 % and 1 %, two-sided, from the usual tables.
TEST(Robust, StudentsTByWallace) {
  EXPECT_NEAR(normal_of_t(2.2281, 10), kNormal95, 0.005);
  EXPECT_NEAR(normal_of_t(3.1693, 10), kNormal99, 0.005);
  EXPECT_NEAR(normal_of_t(2.7764, 4), kNormal95, 0.01);
  EXPECT_NEAR(normal_of_t(-4.3027, 2), -kNormal95, 0.03);
  EXPECT_NEAR(t_of_normal(normal_of_t(5, 7), 7), 5, 1e-9);
}

}  // namespace
}  // namespace nz::analysis::robust
