#include "analysis/histogram.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace nz::analysis {
namespace {

constexpr double kNsPerSecond = 1e9;
constexpr std::uint64_t kNsPerSecondInt = 1'000'000'000;

// floor(10^9 * 2^(eighths/8)). An x87 long double has 64 bits of mantissa; the largest bound needs
// 38 before the point, so 26 remain behind it. histogram_test.cpp proves each of the 257 results
// with integers alone: n^8 <= 10^72 * 2^eighths < (n+1)^8.
std::uint64_t floor_ns(int eighths) {
  return static_cast<std::uint64_t>(
      std::floor(1e9L * std::exp2(static_cast<long double>(eighths) / 8)));
}

struct Bounds {
  std::uint64_t zero_ns;
  std::array<std::uint64_t, NZ_BUCKETS> ns;
  std::array<double, NZ_BUCKETS> seconds;
};

const Bounds& bounds() {
  static const Bounds table = [] {
    Bounds b{};
    b.zero_ns = floor_ns(NZ_MIN_EXP * NZ_BUCKETS_PER_OCTAVE);
    for (int i = 0; i < NZ_BUCKETS; ++i) {
      const int eighths = NZ_PROM_INDEX(i);
      b.ns[i] = floor_ns(eighths);
      b.seconds[i] = static_cast<double>(std::exp2(static_cast<long double>(eighths) / 8));
    }
    return b;
  }();
  return table;
}

double zero_threshold_seconds() { return std::ldexp(1.0, NZ_MIN_EXP); }

double lower_bound_seconds(std::size_t index) {
  return index == 0 ? zero_threshold_seconds() : bounds().seconds[index - 1];
}

std::uint64_t saturating_sub(std::uint64_t a, std::uint64_t b) { return a > b ? a - b : 0; }

/// Where the q-quantile lies: the bucket, and how far into its values the rank reaches (0..1].
struct Rank {
  std::size_t bucket;  // a bucket index, kZeroIndex or kOverflowIndex
  double fraction;
};

Rank find_rank(const Histogram& h, double q, std::uint64_t count) {
  const double rank = std::clamp(q, 0.0, 1.0) * static_cast<double>(count);
  double before = 0;
  Rank last{kZeroIndex, 0};
  const auto reached = [&](std::size_t index, std::uint64_t values) {
    if (values == 0) return false;
    last = {index, std::clamp((rank - before) / static_cast<double>(values), 0.0, 1.0)};
    before += static_cast<double>(values);
    return before >= rank;
  };
  if (reached(kZeroIndex, h.zero)) return last;
  for (std::size_t i = 0; i < NZ_BUCKETS; ++i) {
    if (reached(i, h.buckets[i])) return last;
  }
  reached(kOverflowIndex, h.overflow);
  return last;
}

}  // namespace

std::size_t bucket_index(std::uint64_t ns) {
  const Bounds& b = bounds();
  if (ns <= b.zero_ns) return kZeroIndex;
  // Upper-inclusive: the first bucket whose largest value is not below ns.
  const auto it = std::lower_bound(b.ns.begin(), b.ns.end(), ns);
  return it == b.ns.end() ? kOverflowIndex : static_cast<std::size_t>(it - b.ns.begin());
}

double upper_bound_seconds(std::size_t index) { return bounds().seconds.at(index); }

std::uint64_t upper_bound_ns(std::size_t index) { return bounds().ns.at(index); }

std::uint64_t zero_threshold_ns() { return bounds().zero_ns; }

std::uint64_t Histogram::count() const {
  std::uint64_t total = zero + overflow;
  for (const std::uint64_t n : buckets) total += n;
  return total;
}

void Histogram::record(std::uint64_t ns) {
  const bool first = count() == 0;
  const std::size_t index = bucket_index(ns);
  if (index == kZeroIndex) {
    ++zero;
  } else if (index == kOverflowIndex) {
    ++overflow;
  } else {
    ++buckets[index];
  }
  sum_ns += ns;
  min_ns = first ? ns : std::min(min_ns, ns);
  max_ns = std::max(max_ns, ns);
}

void Histogram::merge(const Histogram& other) {
  if (other.count() == 0) return;
  min_ns = count() == 0 ? other.min_ns : std::min(min_ns, other.min_ns);
  max_ns = std::max(max_ns, other.max_ns);
  for (std::size_t i = 0; i < NZ_BUCKETS; ++i) buckets[i] += other.buckets[i];
  zero += other.zero;
  overflow += other.overflow;
  sum_ns += other.sum_ns;
}

Histogram Histogram::since(const Histogram& earlier) const {
  Histogram d;
  for (std::size_t i = 0; i < NZ_BUCKETS; ++i) {
    d.buckets[i] = saturating_sub(buckets[i], earlier.buckets[i]);
  }
  d.zero = saturating_sub(zero, earlier.zero);
  d.overflow = saturating_sub(overflow, earlier.overflow);
  d.sum_ns = saturating_sub(sum_ns, earlier.sum_ns);
  if (d.count() == 0) return d;
  const bool first_window = earlier.count() == 0;

  const auto used = [](std::uint64_t n) { return n != 0; };
  const auto first = std::find_if(d.buckets.begin(), d.buckets.end(), used);
  if (first_window || min_ns < earlier.min_ns) {
    d.min_ns = min_ns;
  } else if (d.zero != 0) {
    d.min_ns = min_ns;  // somewhere in [min_ns, 59]
  } else if (first != d.buckets.end()) {
    const auto i = static_cast<std::size_t>(first - d.buckets.begin());
    d.min_ns = std::max(min_ns, (i == 0 ? zero_threshold_ns() : upper_bound_ns(i - 1)) + 1);
  } else {
    d.min_ns = std::max(min_ns, upper_bound_ns(NZ_BUCKETS - 1) + 1);
  }

  const auto last = std::find_if(d.buckets.rbegin(), d.buckets.rend(), used);
  if (first_window || max_ns > earlier.max_ns || d.overflow != 0 || max_ns == 0) {
    d.max_ns = max_ns;
  } else if (last != d.buckets.rend()) {
    const auto i = static_cast<std::size_t>(d.buckets.rend() - last) - 1;
    d.max_ns = std::min(max_ns, upper_bound_ns(i));
  } else {
    d.max_ns = std::min(max_ns, zero_threshold_ns());
  }
  return d;
}

double Histogram::quantile(double q) const {
  const std::uint64_t total = count();
  if (total == 0 || std::isnan(q)) return std::numeric_limits<double>::quiet_NaN();
  const double lowest = static_cast<double>(min_ns) / kNsPerSecond;
  const double highest = static_cast<double>(max_ns) / kNsPerSecond;
  const Rank r = find_rank(*this, q, total);
  if (r.bucket == kOverflowIndex) {
    return std::max(highest, upper_bound_seconds(NZ_BUCKETS - 1));
  }
  const double middle =
      r.bucket == kZeroIndex
          ? zero_threshold_seconds() / 2
          : std::sqrt(lower_bound_seconds(r.bucket) * upper_bound_seconds(r.bucket));
  // A maximum below the bucket means that it is not known: none was told (0), or that of another
  // window.
  if (r.bucket != kZeroIndex && highest < lower_bound_seconds(r.bucket))
    return lowest > upper_bound_seconds(r.bucket) ? middle : std::max(middle, lowest);
  return std::clamp(middle, std::min(lowest, highest), highest);
}

double Histogram::quantile_interpolated(double q) const {
  const std::uint64_t total = count();
  if (total == 0 || std::isnan(q)) return std::numeric_limits<double>::quiet_NaN();
  const Rank r = find_rank(*this, q, total);
  if (r.bucket == kZeroIndex) return zero_threshold_seconds() * r.fraction;
  // Exported in the bucket after the last one (userspace/export), so that is where PromQL looks.
  const double lower = r.bucket == kOverflowIndex ? upper_bound_seconds(NZ_BUCKETS - 1)
                                                  : lower_bound_seconds(r.bucket);
  return lower * std::exp2(r.fraction / NZ_BUCKETS_PER_OCTAVE);
}

double Histogram::mean_seconds() const {
  const std::uint64_t total = count();
  if (total == 0) return std::numeric_limits<double>::quiet_NaN();
  // Whole seconds apart from the rest: a sum above 2^53 ns (104 days) would lose nanoseconds.
  const double sum = static_cast<double>(sum_ns / kNsPerSecondInt) +
                     static_cast<double>(sum_ns % kNsPerSecondInt) / kNsPerSecond;
  return sum / static_cast<double>(total);
}

}  // namespace nz::analysis
