// What repeats daily or weekly in a series, found and taken out, so that a morning is no step.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace nz::analysis::detect {

/// A shape that repeats every `period` points.
struct Season {
  double period = 0;            ///< points; need not be whole
  std::vector<double> profile;  ///< difference from the level, evenly over one period; mean 0
  double first = 0;             ///< a point at which a cycle begins
  double agreement = 0;         ///< correlation of the shape with the true one, as cycles tell, 0..1

  /// Difference from the level at point `index`, interpolated.
  [[nodiscard]] double at(double index) const;
};

/// Subtracts the seasons that `values` (NaN: missing) have enough evidence for, strongest first, at
/// most `most`, and returns them. `periods`: lengths in points to try; empty: peaks of the
/// autocorrelation at several resolutions, and days and weeks of points at usual spacings. A season counts when its shape in some cycles agrees with that
/// in all others beyond chance (cross-validation): three cycles are the least, two where it is a week. The level is a moving mean of one period, in which the season cancels, and
/// the shape a median over cycles: a step in the series bends neither. Judged from 131,072 means or points. O(n) time and memory.
std::vector<Season> remove_seasons(std::vector<double>& values, std::span<const double> periods,
                                   std::size_t most = 3);

}  // namespace nz::analysis::detect
