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

std::array<std::uint64_t, kClassicBuckets + 1> classic_cumulative(const Histogram& histogram) {
  std::array<std::uint64_t, kClassicBuckets + 1> cumulative{};
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

}  // namespace nz::analysis
