#include "analysis/histogram.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace nz::analysis {
namespace {

// An unsigned integer of any size, just enough to prove the boundaries: times and compare.
class BigInt {
 public:
  explicit BigInt(std::uint64_t value)
      : words_{static_cast<std::uint32_t>(value), static_cast<std::uint32_t>(value >> 32)} {}

  BigInt& times(std::uint32_t factor) {
    std::uint64_t carry = 0;
    for (std::uint32_t& word : words_) {
      carry += std::uint64_t{word} * factor;
      word = static_cast<std::uint32_t>(carry);
      carry >>= 32;
    }
    words_.push_back(static_cast<std::uint32_t>(carry));
    return *this;
  }

  BigInt& times_wide(std::uint64_t factor) {  // factor < 2^40, as a * 2^20 + b
    BigInt low = *this;
    low.times(static_cast<std::uint32_t>(factor & 0xfffff));
    times(static_cast<std::uint32_t>(factor >> 20)).times(1U << 20);
    return add(low);
  }

  BigInt& add(const BigInt& other) {
    words_.resize(std::max(words_.size(), other.words_.size()) + 1);
    std::uint64_t carry = 0;
    for (std::size_t i = 0; i < words_.size(); ++i) {
      carry += std::uint64_t{words_[i]} + (i < other.words_.size() ? other.words_[i] : 0);
      words_[i] = static_cast<std::uint32_t>(carry);
      carry >>= 32;
    }
    return *this;
  }

  [[nodiscard]] bool less_or_equal(const BigInt& other) const {
    const std::size_t n = std::max(words_.size(), other.words_.size());
    for (std::size_t i = n; i-- > 0;) {
      const std::uint32_t a = i < words_.size() ? words_[i] : 0;
      const std::uint32_t b = i < other.words_.size() ? other.words_[i] : 0;
      if (a != b) return a < b;
    }
    return true;
  }

 private:
  std::vector<std::uint32_t> words_;
};

// Is ns <= 10^9 * 2^(eighths/8)? Both sides to the eighth power: integers only.
bool at_or_below(std::uint64_t ns, int eighths) {
  BigInt left(1);
  for (int i = 0; i < 8; ++i) left.times_wide(ns);
  BigInt right(1);
  for (int i = 0; i < 8; ++i) right.times(1'000'000'000);
  for (int i = 0; i < std::abs(eighths); ++i) (eighths < 0 ? left : right).times(2);
  return left.less_or_equal(right);
}

constexpr double kWorstFactor = 1.04428;  // 2^(1/16), rounded up

double seconds(std::uint64_t ns) { return static_cast<double>(ns) * 1e-9; }

// The value with the smallest rank that is at least q * count: what a quantile of samples is.
std::uint64_t nearest_rank(const std::vector<std::uint64_t>& sorted, double q) {
  const auto rank = static_cast<std::size_t>(std::ceil(q * static_cast<double>(sorted.size())));
  return sorted.at(rank == 0 ? 0 : rank - 1);
}

std::vector<std::uint64_t> log_uniform(std::mt19937_64& random, std::size_t n, double low_ns,
                                       double high_ns) {
  std::uniform_real_distribution<double> exponent(std::log2(low_ns), std::log2(high_ns));
  std::vector<std::uint64_t> values(n);
  for (auto& v : values) v = static_cast<std::uint64_t>(std::exp2(exponent(random)));
  return values;
}

Histogram histogram_of(const std::vector<std::uint64_t>& values) {
  Histogram h;
  for (const auto v : values) h.record(v);
  return h;
}

TEST(HistogramBounds, EachIsTheExactFloorOfItsPowerOfTwo) {
  EXPECT_TRUE(at_or_below(59, -192));
  EXPECT_FALSE(at_or_below(60, -192));
  EXPECT_EQ(zero_threshold_ns(), 59U);
  for (int i = 0; i < NZ_BUCKETS; ++i) {
    const std::uint64_t ns = upper_bound_ns(i);
    EXPECT_TRUE(at_or_below(ns, NZ_PROM_INDEX(i))) << "bucket " << i;
    EXPECT_FALSE(at_or_below(ns + 1, NZ_PROM_INDEX(i))) << "bucket " << i;
  }
}

TEST(HistogramBounds, SecondsAreThePowersOfTwo) {
  for (int i = 0; i < NZ_BUCKETS; ++i) {
    EXPECT_DOUBLE_EQ(upper_bound_seconds(i), std::exp2(NZ_PROM_INDEX(i) / 8.0)) << "bucket " << i;
  }
  EXPECT_EQ(upper_bound_seconds(191), 1.0);
  EXPECT_EQ(upper_bound_seconds(NZ_BUCKETS - 1), 256.0);
  EXPECT_EQ(upper_bound_ns(191), 1'000'000'000U);
  EXPECT_EQ(upper_bound_ns(NZ_BUCKETS - 1), 256'000'000'000U);
}

TEST(HistogramIndex, SeamsOfEveryOctave) {
  // On the boundary, one below and one above, at each of the 8 boundaries of the 32 octaves.
  for (std::size_t i = 0; i < NZ_BUCKETS; ++i) {
    const std::uint64_t bound = upper_bound_ns(i);
    EXPECT_EQ(bucket_index(bound), i);
    EXPECT_EQ(bucket_index(bound + 1), i + 1);
    const bool one_wide =
        i == 0 ? bound == zero_threshold_ns() + 1 : bound == upper_bound_ns(i - 1) + 1;
    if (!one_wide) {
      EXPECT_EQ(bucket_index(bound - 1), i);
    }
  }
  EXPECT_EQ(bucket_index(upper_bound_ns(NZ_BUCKETS - 1) + 1), kOverflowIndex);
}

TEST(HistogramIndex, EndsOfTheRange) {
  EXPECT_EQ(bucket_index(0), kZeroIndex);
  EXPECT_EQ(bucket_index(59), kZeroIndex);
  EXPECT_EQ(bucket_index(60), 0U);
  EXPECT_EQ(bucket_index(256'000'000'000), NZ_BUCKETS - 1U);
  EXPECT_EQ(bucket_index(256'000'000'001), kOverflowIndex);
  EXPECT_EQ(bucket_index(UINT64_MAX), kOverflowIndex);
}

TEST(HistogramIndex, NeverDecreasesAndHoldsItsValue) {
  std::mt19937_64 random(1);
  auto values = log_uniform(random, 20'000, 60, 256e9);
  std::sort(values.begin(), values.end());
  std::size_t last = 0;
  for (const auto ns : values) {
    const std::size_t i = bucket_index(ns);
    ASSERT_GE(i, last);
    ASSERT_LE(ns, upper_bound_ns(i));
    ASSERT_GT(ns, i == 0 ? zero_threshold_ns() : upper_bound_ns(i - 1));
    last = i;
  }
}

TEST(Histogram, EmptyHasNoQuantileAndNoMean) {
  const Histogram h;
  EXPECT_EQ(h.count(), 0U);
  EXPECT_TRUE(std::isnan(h.quantile(0.5)));
  EXPECT_TRUE(std::isnan(h.quantile_interpolated(0.5)));
  EXPECT_TRUE(std::isnan(h.mean_seconds()));
}

TEST(Histogram, RecordCountsEachKindOfValueOnce) {
  const Histogram h = histogram_of({10, 1'000, 1'000, 300'000'000'000});
  EXPECT_EQ(h.count(), 4U);
  EXPECT_EQ(h.zero, 1U);
  EXPECT_EQ(h.buckets[bucket_index(1'000)], 2U);
  EXPECT_EQ(h.overflow, 1U);
  EXPECT_EQ(h.sum_ns, 300'000'002'010U);
  EXPECT_EQ(h.min_ns, 10U);
  EXPECT_EQ(h.max_ns, 300'000'000'000U);
  EXPECT_DOUBLE_EQ(h.mean_seconds(), 300.00000201 / 4);
}

TEST(Histogram, QuantileOfOneValueIsThatValue) {
  for (const std::uint64_t ns :
       {7ULL, 59ULL, 60ULL, 123'456ULL, 1'000'000'001ULL, 400'000'000'000ULL}) {
    const Histogram h = histogram_of({ns});
    for (const double q : {0.0, 0.5, 0.99, 1.0}) EXPECT_DOUBLE_EQ(h.quantile(q), seconds(ns));
  }
}

TEST(Histogram, QuantileInTheOverflowIsTheMaximum) {
  const Histogram h = histogram_of({1'000, 300'000'000'000, 500'000'000'000});
  EXPECT_DOUBLE_EQ(h.quantile(0.99), 500.0);
  Histogram unknown_maximum;
  unknown_maximum.overflow = 1;
  EXPECT_DOUBLE_EQ(unknown_maximum.quantile(0.5), 256.0);
}

TEST(Histogram, QuantileWithoutKnownExtremesIsTheMiddleOfTheBucket) {
  Histogram h;  // as decoded from a source that keeps no minimum and maximum
  h.buckets[100] = 5;
  EXPECT_DOUBLE_EQ(h.quantile(0.5), std::sqrt(upper_bound_seconds(99) * upper_bound_seconds(100)));
}

TEST(Histogram, QuantileOutsideZeroToOneIsClamped) {
  const Histogram h = histogram_of({1'000, 2'000'000});
  EXPECT_DOUBLE_EQ(h.quantile(-1), h.quantile(0));
  EXPECT_DOUBLE_EQ(h.quantile(2), h.quantile(1));
  EXPECT_TRUE(std::isnan(h.quantile(std::nan(""))));
}

TEST(Histogram, QuantileIsWithinTheBoundOfSortedSamples) {
  std::mt19937_64 random(2);
  std::lognormal_distribution<double> lognormal(std::log(50'000), 1.5);
  for (int round = 0; round < 200; ++round) {
    const std::size_t n = 1 + random() % 3'000;
    std::vector<std::uint64_t> values;
    switch (round % 3) {
      case 0:
        values = log_uniform(random, n, 60, 256e9);
        break;
      case 1:
        values = log_uniform(random, n, 1e6, 1.3e6);
        break;  // three buckets only
      default:
        for (std::size_t i = 0; i < n; ++i) {
          values.push_back(
              std::max<std::uint64_t>(60, static_cast<std::uint64_t>(lognormal(random))));
        }
    }
    const Histogram h = histogram_of(values);
    std::sort(values.begin(), values.end());
    for (const double q : {0.0, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0}) {
      const double truth = seconds(nearest_rank(values, q));
      const double estimate = h.quantile(q);
      ASSERT_LE(estimate, truth * kWorstFactor) << "q=" << q << " n=" << n << " round " << round;
      ASSERT_GE(estimate, truth / kWorstFactor) << "q=" << q << " n=" << n << " round " << round;
    }
  }
}

TEST(Histogram, QuantileHoldsTheBoundWhereInterpolationDoesNot) {
  // Everything sits just above one lower boundary, but for one value at each end of the range.
  const std::uint64_t low_edge = upper_bound_ns(120) + 1;
  Histogram h;
  h.record(100);
  for (int i = 0; i < 1'000; ++i) h.record(low_edge);
  h.record(1'000'000'000);
  const double truth = seconds(low_edge);
  EXPECT_LE(h.quantile(0.99), truth * kWorstFactor);
  EXPECT_GT(h.quantile_interpolated(0.99), truth * 1.08);
  EXPECT_LE(h.quantile_interpolated(0.99), truth * std::exp2(1.0 / 8));
}

TEST(Histogram, InterpolatedQuantileGrowsEvenlyInsideABucket) {
  Histogram h;
  h.buckets[191] = 100;  // (2^(-1/8), 1] s
  EXPECT_DOUBLE_EQ(h.quantile_interpolated(0.5), std::exp2(-1.0 / 16));
  EXPECT_DOUBLE_EQ(h.quantile_interpolated(1.0), 1.0);
  Histogram zero;
  zero.zero = 4;
  EXPECT_DOUBLE_EQ(zero.quantile_interpolated(0.5), std::ldexp(0.5, NZ_MIN_EXP));
}

TEST(Histogram, MergeIsTheHistogramOfAllValues) {
  std::mt19937_64 random(3);
  const auto a = log_uniform(random, 500, 10, 1e12);
  const auto b = log_uniform(random, 700, 10, 1e12);
  auto both = a;
  both.insert(both.end(), b.begin(), b.end());
  Histogram merged = histogram_of(a);
  merged.merge(histogram_of(b));
  EXPECT_EQ(merged, histogram_of(both));

  Histogram from_empty;
  from_empty.merge(histogram_of(a));
  EXPECT_EQ(from_empty, histogram_of(a));
  from_empty.merge(Histogram{});
  EXPECT_EQ(from_empty, histogram_of(a));
}

TEST(Histogram, SinceUndoesMerge) {
  std::mt19937_64 random(4);
  for (int round = 0; round < 100; ++round) {
    const Histogram before = histogram_of(log_uniform(random, 1 + random() % 50, 10, 1e12));
    auto values = log_uniform(random, 1 + random() % 50, 10, 1e12);
    const Histogram window = histogram_of(values);
    Histogram after = before;
    after.merge(window);
    const Histogram d = after.since(before);
    EXPECT_EQ(d.buckets, window.buckets);
    EXPECT_EQ(d.zero, window.zero);
    EXPECT_EQ(d.overflow, window.overflow);
    EXPECT_EQ(d.sum_ns, window.sum_ns);
    // Extremes: exact where they set a record, else no narrower than the truth and no wider than
    // the bucket it lies in.
    EXPECT_LE(d.min_ns, window.min_ns);
    EXPECT_GE(d.max_ns, window.max_ns);
    EXPECT_EQ(bucket_index(d.min_ns), bucket_index(window.min_ns));
    EXPECT_EQ(bucket_index(d.max_ns), bucket_index(window.max_ns));
    if (window.min_ns < before.min_ns) {
      EXPECT_EQ(d.min_ns, window.min_ns);
    }
    if (window.max_ns > before.max_ns) {
      EXPECT_EQ(d.max_ns, window.max_ns);
    }
  }
}

TEST(Histogram, SinceItselfIsEmptyAndSinceNothingIsItself) {
  const Histogram h = histogram_of({5, 100, 1'000'000});
  EXPECT_EQ(h.since(h), Histogram{});
  EXPECT_EQ(h.since(Histogram{}), h);
}

TEST(Histogram, SinceALaterStateStopsAtZero) {
  const Histogram later = histogram_of({5, 100, 1'000'000});
  EXPECT_EQ(Histogram{}.since(later), Histogram{});
}

TEST(HistogramQuantile, AnExtremeOfAnotherWindowDoesNotClampIt) {
  Histogram h;
  for (int i = 0; i < 100; i++) h.record(1'000'000);
  h.min_ns = h.max_ns = 1'000;  // those of a quiet second
  EXPECT_NEAR(h.quantile(0.5), 1e-3, 1e-4);
  EXPECT_NEAR(h.quantile(1), 1e-3, 1e-4);
}

}  // namespace
}  // namespace nz::analysis
