#include "analysis/regression/slice.h"

#include <cmath>

namespace nz::analysis {

Histogram merged(std::span<const Slice> slices) {
  Histogram all;
  for (const Slice& slice : slices) {
    if (slice.histogram) all.merge(*slice.histogram);
  }
  return all;
}

double values_up_to(const Histogram& h, double seconds) {
  const double threshold = std::ldexp(1.0, NZ_MIN_EXP);
  if (!(seconds > 0)) return 0;
  if (seconds <= threshold) return static_cast<double>(h.zero) * seconds / threshold;
  const double position = (std::log2(seconds) - NZ_MIN_EXP) * NZ_BUCKETS_PER_OCTAVE;
  if (position >= NZ_BUCKETS + 1) return static_cast<double>(h.count());
  double values = static_cast<double>(h.zero);
  const auto whole = static_cast<std::size_t>(position);
  for (std::size_t i = 0; i < NZ_BUCKETS && i < whole; i++)
    values += static_cast<double>(h.buckets[i]);
  const double fraction = position - static_cast<double>(whole);
  if (whole < NZ_BUCKETS) return values + fraction * static_cast<double>(h.buckets[whole]);
  // The overflow is interpolated as if it were one bucket more.
  return values + fraction * static_cast<double>(h.overflow);
}

}  // namespace nz::analysis
