// Where a whole series changed its level and stayed: offline, over history or a file.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace nz::analysis {

/// A lasting change of the level.
struct ChangePoint {
  std::size_t index = 0;         ///< first point of the new level
  double before = 0, after = 0;  ///< medians of the stretches on both sides, season taken out
  double size = 0;               ///< after / before - 1; NaN where before is 0
  double confidence = 0;         ///< 0..1: 1 - chance that noise alone shows such a step
  std::size_t earliest = 0, latest = 0;  ///< where the true index may lie, about 95 % sure
  bool back = false;  ///< online only: returns to the level before the change that was told last
};

struct ChangePointOptions {
  /// How many change points a series of mere noise may show on average, however long it is.
  double false_alarms = 0.05;
  /// Points that a level has to last; 0: a fortieth of the series, 3 to 12.
  std::size_t least = 0;
  /// Lengths of seasons in points, to be tried; empty: looked for in the series.
  std::vector<double> periods;
};

/// The change points of `values` in order; NaN and infinite values are missing. Levels are those of
/// a variance-stabilised scale, so latencies need no preparation. What is taken out or told apart:
/// - spikes: fewer than half of `least` wild values in a row leave no trace (Hampel's filter);
/// - seasons, where the series has at least three cycles of them (season.h); beside a step, changes
///   of less than 6 % of it may be what is left of a season, and are not told;
/// - autocorrelation: steps are measured by the noise of means as long as theirs (noise.h);
/// - drift: where a straight line explains a stretch better than a step, there is none
/// (segmentation.h);
/// - noise that changes without the level.
/// Fewer than 6 values, or all the same: none. Time O(n log n), memory some 150 bytes a point up to
/// 2^20 points; a longer series is searched as 2^20 means and each place is then looked up in the
/// points themselves, 25 bytes a point beyond.
std::vector<ChangePoint> change_points(std::span<const double> values,
                                       const ChangePointOptions& options = {});

}  // namespace nz::analysis
