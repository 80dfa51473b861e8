// How much a histogram looks like one of two references rather than like the other.
#pragma once

#include <array>
#include <cstddef>

#include "analysis/histogram.h"

namespace nz::analysis {

/// Mean log-likelihood ratio of values between two references: below 0 as the first, above as the
/// second. Buckets are pooled by twos (quarter octaves, against the noise of small counts) and each
/// smoothed by half a value; a value counts for e^±3 at most.
class Likeness {
 public:
  Likeness(const Histogram& first, const Histogram& second);
  /// NaN for an empty one.
  [[nodiscard]] double of(const Histogram& histogram) const;

 private:
  static constexpr std::size_t kPooled = 2;
  static constexpr std::size_t kCells = NZ_BUCKETS / kPooled + 2;
  using Cells = std::array<double, kCells>;
  static Cells cells_of(const Histogram& histogram);
  Cells weight_{};
};

}  // namespace nz::analysis
