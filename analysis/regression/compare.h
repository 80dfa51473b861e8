// Two stretches of time of one series of histograms: which quantiles moved, by how much, and how
// sure that is.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "analysis/regression/slice.h"

namespace nz::analysis {

/// One quantile on both sides.
struct QuantileShift {
  double quantile = 0;
  double before = 0, after = 0;            ///< seconds
  double ratio = 1;                        ///< after / before
  double ratio_least = 1, ratio_most = 1;  ///< its 95 % interval
  double p = 1;  ///< that nothing moved, two-sided, of this quantile alone
};

struct ShiftOptions {
  std::vector<double> quantiles = {0.5, 0.75, 0.9, 0.95, 0.99, 0.999};
  /// Moved means significant at this level over all quantiles ...
  double alpha = 0.01;
  /// ... and by at least this share.
  double least_change = 0.05;
  /// A quantile needs so many values beyond it on both sides.
  double least_values = 10;
};

struct Shift {
  std::vector<QuantileShift> quantiles;  ///< those that could be judged, ascending
  std::vector<QuantileShift> moved;      ///< of them, those that moved
  /// 1 - p of the surest quantile, corrected for how many were looked at (Bonferroni); 0 where none
  /// could be judged.
  double confidence = 0;
};

/// Values come in crowds: a slow minute is slow for all of its orders, so that their number says
/// little about certainty. Each side's slices are taken as a cluster sample: the distribution
/// function at a quantile as a ratio of sums over slices, its variance from the slices' residuals
/// (never less than the binomial one), widened by their autocorrelation; the interval of the
/// quantile by inverting it (Woodruff 1952); the difference by Student's t after Welch, at both
/// sides' quantiles, of which the less significant one counts. Fewer than three slices with values
/// on a side tell nothing. Some 0.1 ms for 60 slices a side.
Shift compare(std::span<const Slice> before, std::span<const Slice> after,
              const ShiftOptions& options = {});

}  // namespace nz::analysis
