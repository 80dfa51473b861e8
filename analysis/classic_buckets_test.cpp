#include "analysis/classic_buckets.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

namespace nz::analysis {
namespace {

TEST(ClassicBuckets, TwoPerOctaveFromOneMicrosecondToEightSeconds) {
  const auto& bounds = classic_bounds();
  ASSERT_EQ(bounds.size(), 47U);
  EXPECT_EQ(bounds.front(), std::ldexp(1.0, -20));
  EXPECT_EQ(bounds.back(), 8.0);
  for (std::size_t n = 0; n < bounds.size(); ++n) {
    EXPECT_DOUBLE_EQ(bounds[n], std::exp2(-20 + static_cast<double>(n) / 2));
  }
}

TEST(ClassicBuckets, SixteenDigitsPrintEachBoundaryWithoutLoss) {
  for (const double bound : classic_bounds()) {
    char text[40];
    std::snprintf(text, sizeof text, "%.16g", bound);
    EXPECT_EQ(std::strtod(text, nullptr), bound) << text;
  }
}

TEST(ClassicBuckets, CountsAreExactAtEveryBoundary) {
  const auto& bounds = classic_bounds();
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> exponent(3, 40);
  std::vector<std::uint64_t> values;
  for (int i = 0; i < 5'000; ++i)
    values.push_back(static_cast<std::uint64_t>(std::exp2(exponent(random))));
  for (const double bound : bounds) {  // the seams: on the boundary and next to it
    const auto ns = static_cast<std::uint64_t>(std::floor(bound * 1e9));
    values.insert(values.end(), {ns - 1, ns, ns + 1});
  }
  Histogram h;
  for (const auto v : values) h.record(v);
  const auto cumulative = classic_cumulative(h);
  for (std::size_t n = 0; n < bounds.size(); ++n) {
    std::uint64_t expected = 0;
    for (const auto v : values) expected += static_cast<double>(v) <= bounds[n] * 1e9 ? 1 : 0;
    EXPECT_EQ(cumulative[n], expected) << "le " << bounds[n];
  }
  EXPECT_EQ(cumulative.back(), values.size());
}

TEST(ClassicBuckets, AHistogramOfClassicCountsHasTheseCounts) {
  Histogram h;
  std::mt19937_64 random(2);
  std::uniform_real_distribution<double> exponent(0, 45);
  for (int i = 0; i < 5'000; ++i) h.record(static_cast<std::uint64_t>(std::exp2(exponent(random))));
  const auto cumulative = classic_cumulative(h);
  EXPECT_EQ(classic_cumulative(from_classic(cumulative)), cumulative);
  EXPECT_EQ(from_classic(cumulative).count(), 5'000U);
  EXPECT_EQ(from_classic({}).count(), 0U);
  ClassicCounts one{};  // one value between 4 s and 8 s / sqrt(2)
  std::fill(one.end() - 3, one.end(), 1);
  const double middle = from_classic(one).quantile(0.5);
  EXPECT_GT(middle, 4.0 * std::exp2(0.125));
  EXPECT_LT(middle, 4.0 * std::exp2(0.375));
}

TEST(ClassicBuckets, ZeroAndOverflowAreCounted) {
  Histogram h;
  h.record(0);
  h.record(1'000'000'000'000);
  const auto cumulative = classic_cumulative(h);
  EXPECT_EQ(cumulative.front(), 1U);
  EXPECT_EQ(cumulative[kClassicBuckets - 1], 1U);
  EXPECT_EQ(cumulative.back(), 2U);
}

}  // namespace
}  // namespace nz::analysis
