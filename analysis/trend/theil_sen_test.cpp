#include "analysis/trend/theil_sen.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace nz::analysis {
namespace {

Series at_0_1_2(std::vector<double> values) {
  Series s;
  for (std::size_t i = 0; i < values.size(); i++) s.at.push_back(static_cast<double>(i));
  s.value = std::move(values);
  return s;
}

// Slopes 1 (six times), 10/4, 9/3, 8/2, 7/1: by hand.
TEST(TheilSen, MedianOfAllPairs) {
  PairSlopes slopes = pair_slopes(at_0_1_2({0, 1, 2, 3, 10}));
  std::sort(slopes.begin(), slopes.end());
  EXPECT_EQ(slopes, (PairSlopes{1, 1, 1, 1, 1, 1, 2.5, 3, 4, 7}));
  EXPECT_EQ(theil_sen(slopes, 50.0 / 3, 1).likeliest, 1);
}

// C = sqrt(50/3) = 4.08; the interval goes from the second to the second but last.
TEST(TheilSen, SensInterval) {
  PairSlopes slopes = pair_slopes(at_0_1_2({0, 1, 2, 3, 10}));
  const Slope s = theil_sen(slopes, 50.0 / 3, 1);
  EXPECT_EQ(s.least, 1);
  EXPECT_EQ(s.most, 4);
}

TEST(TheilSen, TooFewPairsBoundNothing) {
  PairSlopes slopes = pair_slopes(at_0_1_2({0, 1, 2, 3, 10}));
  const Slope s = theil_sen(slopes, 50.0 / 3, 1.96);
  EXPECT_TRUE(std::isinf(s.least) && s.least < 0);
  EXPECT_TRUE(std::isinf(s.most) && s.most > 0);
}

TEST(TheilSen, PairsOfOneTimeHaveNoSlope) {
  Series s = at_0_1_2({1, 2, 3});
  s.at = {5, 5, 6};
  EXPECT_EQ(pair_slopes(s), (PairSlopes{2, 1}));
}

TEST(TheilSen, SeasonalPairsStayInTheirPhase) {
  Cycles cycles;
  cycles.period = 10;
  cycles.phases = 2;
  cycles.cycles = 3;
  const double nan = std::nan("");
  cycles.at = {0, 5, 10, 15, 20, 25};
  cycles.value = {0, 100, 10, nan, 20, 120};
  EXPECT_EQ(pair_slopes(cycles), (PairSlopes{1, 1, 1, 1}));
}

}  // namespace
}  // namespace nz::analysis
