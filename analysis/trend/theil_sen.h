// The slope of a series as the median of the slopes of all pairs (Theil 1950, Sen 1968): up to 29 %
// of the values may be anything.
#pragma once

#include <cstddef>
#include <vector>

#include "analysis/series.h"
#include "analysis/trend/stretches.h"

namespace nz::analysis {

/// Slopes of pairs, unordered. A copy of 1,024 values has 523,776 of them, 4 MB.
using PairSlopes = std::vector<double>;

/// Of all pairs of different times, n (n - 1) / 2. Requires finite values.
PairSlopes pair_slopes(const Series& series);

/// Of pairs of the same phase alone, so that a season does not tilt the line (Hirsch, Slack & Smith
/// 1982). Cells without a value are left out.
PairSlopes pair_slopes(const Cycles& cycles);

struct Slope {
  double likeliest = 0;        ///< units per second
  double least = 0, most = 0;  ///< interval; infinite where the values cannot bound it
};

/// The median of `slopes` (reordered), and Sen's interval: the slopes of the ranks
/// (N ± z sqrt(variance)) / 2, where `variance` is that of Kendall's S and `z` that of the
/// probability wanted. Requires a slope.
Slope theil_sen(PairSlopes& slopes, double variance, double z);

}  // namespace nz::analysis
