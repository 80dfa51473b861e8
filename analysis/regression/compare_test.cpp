#include "analysis/regression/compare.h"

#include <gtest/gtest.h>

#include <cmath>

#include "analysis/regression/test_slices.h"

namespace nz::analysis {
namespace {

Shift shift_of(std::uint64_t seed, double crowding, double correlation,
               const std::function<double(double, double)>& change, std::size_t slices = 20) {
  MadeSlices made(seed, crowding, correlation);
  const auto before = made.make(slices, 500, MadeSlices::unchanged);
  const auto after = made.make(slices, 500, change);
  return compare(before, after);
}

TEST(Slices, ValuesUpToInvertsTheQuantile) {
  MadeSlices made(1);
  const Histogram all = merged(made.make(5, 1000, MadeSlices::unchanged));
  for (const double q : {0.01, 0.5, 0.9, 0.999})
    EXPECT_NEAR(values_up_to(all, all.quantile_interpolated(q)), q * 5000, 1e-6);
  EXPECT_EQ(values_up_to(all, 0), 0);
  EXPECT_EQ(values_up_to(all, 1e9), 5000);
  EXPECT_EQ(values_up_to(Histogram{}, 1), 0);
}

TEST(Compare, AMovedMedianWithItsRatio) {
  const Shift s = shift_of(1, 0.05, 0, [](double, double v) { return 1.2 * v; });
  ASSERT_FALSE(s.moved.empty());
  EXPECT_GT(s.confidence, 0.999);
  const QuantileShift& median = s.moved.front();
  EXPECT_EQ(median.quantile, 0.5);
  EXPECT_NEAR(median.ratio, 1.2, 0.06);
  EXPECT_LT(median.ratio_least, 1.2);
  EXPECT_GT(median.ratio_most, 1.2);
  EXPECT_GT(median.ratio_least, 1.05);
}

TEST(Compare, ATailThatMovedAloneIsNamedAlone) {
  int n = 0;
  const Shift s = shift_of(2, 0.05, 0, [&](double, double v) { return ++n % 66 == 0 ? 5 * v : v; });
  ASSERT_FALSE(s.moved.empty());
  for (const QuantileShift& m : s.moved) EXPECT_GE(m.quantile, 0.95);
  EXPECT_EQ(s.moved.back().quantile, 0.99);  // 10,000 values have 10 beyond 0.999
  EXPECT_GT(s.moved.back().ratio, 1.2);
}

TEST(Compare, CrowdedValuesAreNoCertainty) {
  // 10,000 values a side whose levels differ by 20 % from slice to slice: as independent values the
  // medians would differ for sure nearly every time.
  int told = 0;
  for (std::uint64_t seed = 1; seed <= 100; seed++) {
    if (!shift_of(seed, 0.2, 0, MadeSlices::unchanged).moved.empty()) told++;
  }
  EXPECT_LE(told, 4);
}

TEST(Compare, CorrelatedSlicesAreNoCertainty) {
  int told = 0;
  for (std::uint64_t seed = 1; seed <= 100; seed++) {
    if (!shift_of(seed, 0.2, 0.6, MadeSlices::unchanged, 40).moved.empty()) told++;
  }
  EXPECT_LE(told, 8);
}

TEST(Compare, TheIntervalHoldsTheTruth) {
  int held = 0;
  for (std::uint64_t seed = 1; seed <= 100; seed++) {
    const Shift s = shift_of(seed, 0.1, 0, [](double, double v) { return 1.5 * v; });
    for (const QuantileShift& q : s.quantiles) {
      if (q.quantile == 0.5 && q.ratio_least <= 1.5 && q.ratio_most >= 1.5) held++;
    }
  }
  EXPECT_GE(held, 88);
}

TEST(Compare, FewSlicesOrValuesTellNothing) {
  MadeSlices made(1);
  const auto two = made.make(2, 500, MadeSlices::unchanged);
  const auto many = made.make(20, 500, [](double, double v) { return 3 * v; });
  EXPECT_TRUE(compare(two, many).quantiles.empty());
  EXPECT_EQ(compare(two, many).confidence, 0);
  const auto thin = made.make(20, 2, MadeSlices::unchanged);
  for (const QuantileShift& s : compare(thin, many).quantiles) EXPECT_LE(s.quantile, 0.75);
  EXPECT_TRUE(compare({}, many).quantiles.empty());
  const std::vector<Slice> empty(5, Slice{0, 1, nullptr});
  EXPECT_TRUE(compare(empty, many).quantiles.empty());
}

TEST(Compare, ValuesThatDoNotOverlap) {
  const Shift s = shift_of(3, 0.01, 0, [](double, double v) { return 100 * v; });
  ASSERT_FALSE(s.moved.empty());
  EXPECT_NEAR(s.moved.front().ratio, 100, 6);
  EXPECT_GT(s.confidence, 0.9999);
}

TEST(Compare, AConstantThatIsSlower) {
  std::vector<Slice> before, after;
  for (int i = 0; i < 10; i++) {
    auto b = std::make_shared<Histogram>(), a = std::make_shared<Histogram>();
    for (int k = 0; k < 100; k++) {
      b->record(100'000);
      a->record(150'000);
    }
    before.push_back({0, 1, b});
    after.push_back({1, 2, a});
  }
  const Shift s = compare(before, after);
  ASSERT_FALSE(s.moved.empty());
  EXPECT_NEAR(s.moved.front().ratio, 1.5, 0.1);
}

}  // namespace
}  // namespace nz::analysis
