// Whether a series rises or falls at all: Mann 1945 and Kendall 1975, with what real series need.
#pragma once

#include <cstddef>

#include "analysis/series.h"
#include "analysis/trend/stretches.h"

namespace nz::analysis {

struct MannKendall {
  double s = 0;         ///< pairs that rise minus pairs that fall
  double pairs = 0;     ///< all of them
  double variance = 0;  ///< of s, where there is no trend
  double p = 1;         ///< two-sided, normal approximation with continuity correction
  /// Kendall's tau-a, -1..1.
  [[nodiscard]] double tau() const { return pairs > 0 ? s / pairs : 0; }
};

/// n (n - 1) (2 n + 5) / 18, less what ties take (Kendall 1975). Corrected for autocorrelation as
/// by Hamed & Rao 1998: the ranks of the values less `slope`, their significant autocorrelations up
/// to a quarter of the length, or those of an autoregression of order 1 where that is more (theirs
/// alone calls too much a trend); correlation only ever widens. Requires finite values in the order
/// of time; O(n^2).
MannKendall mann_kendall(const Series& series, double slope);

/// The seasonal form: S summed over the phases (Hirsch, Slack & Smith 1982), with the covariance of
/// phases (Hirsch & Slack 1984, for missing values by Dietz & Killeen 1981) of the values less
/// `slope`, because the trend itself would count as correlation. O((phases cycles)^2).
MannKendall mann_kendall(const Cycles& cycles, double slope);

}  // namespace nz::analysis
