// A series of histograms cut into slices of time: the samples of a comparison. Single values of one
// minute are not independent of each other, minutes nearly are.
#pragma once

#include <memory>
#include <span>

#include "analysis/histogram.h"

namespace nz::analysis {

struct Slice {
  double from = 0, to = 0;                     ///< Unix seconds
  std::shared_ptr<const Histogram> histogram;  ///< the values of the slice alone; null: none known
};

/// All values of the slices.
Histogram merged(std::span<const Slice> slices);

/// How many values are at most `seconds`, those of the bucket that it lies in by exponential
/// interpolation: what quantile_interpolated() inverts.
double values_up_to(const Histogram& histogram, double seconds);

}  // namespace nz::analysis
