#include "analysis/classic_buckets.h"

#include <array>
#include <charconv>

namespace nz::analysis {
namespace {

// Index of the histogram bucket that ends where classic bucket `n` ends.
constexpr std::size_t last_bucket_of(std::size_t n) {
  constexpr std::size_t step = NZ_BUCKETS_PER_OCTAVE / kClassicPerOctave;
  constexpr std::size_t first = (kClassicMinExp - NZ_MIN_EXP) * NZ_BUCKETS_PER_OCTAVE - 1;
  return first + n * step;
}
static_assert(last_bucket_of(kClassicBuckets - 1) < NZ_BUCKETS);

// The double that "%.16g" names.
double as_sixteen_digits(double value) {
  std::array<char, 40> text{};
  const auto printed =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::general, 16);
  std::from_chars(text.data(), printed.ptr, value);
  return value;
}

}  // namespace

const std::array<double, kClassicBuckets>& classic_bounds() {
  static const std::array<double, kClassicBuckets> table = [] {
    std::array<double, kClassicBuckets> t{};
    for (std::size_t n = 0; n < kClassicBuckets; ++n) {
      t[n] = as_sixteen_digits(upper_bound_seconds(last_bucket_of(n)));
    }
    return t;
  }();
  return table;
}

ClassicCounts classic_cumulative(const Histogram& histogram) {
  ClassicCounts cumulative{};
  std::uint64_t total = histogram.zero;
  std::size_t next = 0;
  for (std::size_t n = 0; n < kClassicBuckets; ++n) {
    for (; next <= last_bucket_of(n); ++next) total += histogram.buckets[next];
    cumulative[n] = total;
  }
  for (; next < NZ_BUCKETS; ++next) total += histogram.buckets[next];
  cumulative[kClassicBuckets] = total + histogram.overflow;
  return cumulative;
}

Histogram from_classic(const ClassicCounts& cumulative) {
  // Of the buckets that make a classic one, counted from its upper end: those in the middle first.
  constexpr std::array<std::size_t, NZ_BUCKETS_PER_OCTAVE / kClassicPerOctave> kOrder{1, 2, 0, 3};
  static_assert(last_bucket_of(kClassicBuckets) < NZ_BUCKETS, "as many buckets behind the last");
  Histogram histogram;
  std::uint64_t before = 0;
  for (std::size_t n = 0; n < cumulative.size(); ++n) {
    const std::uint64_t count = cumulative[n] - before;
    before = cumulative[n];
    for (std::size_t k = 0; k < kOrder.size(); ++k)
      histogram.buckets[last_bucket_of(n) - kOrder[k]] =
          count / kOrder.size() + (k < count % kOrder.size() ? 1U : 0U);
  }
  return histogram;
}

}  // namespace nz::analysis
