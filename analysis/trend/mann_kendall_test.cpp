#include "analysis/trend/mann_kendall.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "analysis/robust.h"
#include "analysis/trend/theil_sen.h"

namespace nz::analysis {
namespace {

Series series_of(std::vector<double> values) {
  Series s;
  for (std::size_t i = 0; i < values.size(); i++) s.at.push_back(static_cast<double>(i));
  s.value = std::move(values);
  return s;
}

Series ar1(double phi, std::size_t n, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> noise;
  std::vector<double> values;
  double x = noise(random) / std::sqrt(1 - phi * phi);
  for (std::size_t i = 0; i < n; i++) {
    values.push_back(x);
    x = phi * x + noise(random);
  }
  return series_of(values);
}

double share_significant(double phi, double slope, std::size_t n) {
  constexpr int kRuns = 300;
  int found = 0;
  for (int i = 0; i < kRuns; i++) {
    Series s = ar1(phi, n, static_cast<std::uint64_t>(1000 + i));
    for (std::size_t k = 0; k < n; k++) s.value[k] += slope * static_cast<double>(k);
    if (mann_kendall(s, robust::median(pair_slopes(s))).p < 0.05) found++;
  }
  return static_cast<double>(found) / kRuns;
}

// S = 10, variance 5 * 4 * 15 / 18, z = 9 / 4.082 = 2.2045.
TEST(MannKendall, FiveThatRise) {
  const MannKendall m = mann_kendall(series_of({1, 2, 3, 4, 5}), 1);
  EXPECT_EQ(m.s, 10);
  EXPECT_EQ(m.pairs, 10);
  EXPECT_EQ(m.tau(), 1);
  EXPECT_DOUBLE_EQ(m.variance, 50.0 / 3);
  EXPECT_NEAR(m.p, 0.02749, 1e-4);
}

// Five of six pairs rise, one is tied: (4 * 3 * 13 - 2 * 1 * 9) / 18.
TEST(MannKendall, TiesTakeFromTheVariance) {
  const MannKendall m = mann_kendall(series_of({1, 2, 2, 3}), 2.0 / 3);
  EXPECT_EQ(m.s, 5);
  EXPECT_GE(m.variance, 138.0 / 18 - 1e-12);
}

TEST(MannKendall, ConstantSeriesHasNoTrend) {
  const MannKendall m = mann_kendall(series_of(std::vector<double>(50, 3.0)), 0);
  EXPECT_EQ(m.s, 0);
  EXPECT_EQ(m.p, 1);
}

TEST(MannKendall, IndependentNoiseIsSignificantAsOftenAsItShould) {
  const double share = share_significant(0, 0, 100);
  EXPECT_GT(share, 0.01);
  EXPECT_LT(share, 0.09);
}

// Without the correction some 35 % of them are.
TEST(MannKendall, AutocorrelatedNoiseIsNoTrend) { EXPECT_LT(share_significant(0.6, 0, 200), 0.14); }

TEST(MannKendall, ATrendInAutocorrelatedNoiseIsFound) {
  EXPECT_GT(share_significant(0.6, 0.03, 200), 0.9);
}

// Two phases that rise together in each of four cycles: S is 6 + 6, each variance 4 * 3 * 13 / 18;
// less the slope nothing is left that could be correlated.
TEST(MannKendall, SeasonalSumsOverPhases) {
  Cycles cycles;
  cycles.period = 10;
  cycles.phases = 2;
  cycles.cycles = 4;
  cycles.at = {0, 5, 10, 15, 20, 25, 30, 35};
  cycles.value = {1, 101, 2, 102, 3, 103, 4, 104};
  const MannKendall m = mann_kendall(cycles, 0.1);
  EXPECT_EQ(m.s, 12);
  EXPECT_EQ(m.pairs, 12);
  EXPECT_NEAR(m.variance, 2 * 156.0 / 18, 1e-9);
}

// Two phases that are the same noise are one: the covariance is the variance, and their sum that of
// twice the one.
TEST(MannKendall, PhasesThatGoTogetherCountOnce) {
  Cycles cycles;
  cycles.period = 10;
  cycles.phases = 2;
  cycles.cycles = 4;
  cycles.at = {0, 5, 10, 15, 20, 25, 30, 35};
  cycles.value = {3, 3, 1, 1, 4, 4, 2, 2};
  const MannKendall m = mann_kendall(cycles, 0);
  EXPECT_NEAR(m.variance, 4 * 156.0 / 18, 1e-9);
}

}  // namespace
}  // namespace nz::analysis
