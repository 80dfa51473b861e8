// Long series made short without losing their course: the medians of equal stretches of time.
#pragma once

#include <cstddef>
#include <vector>

#include "analysis/series.h"

namespace nz::analysis {

/// The finite values; those of one and the same time become their median.
Series finite(const Series& series);

/// Median value and mean time of each stretch [origin + k length, origin + (k + 1) length) that has
/// values. Requires ascending times, finite values and length > 0.
Series stretches(const Series& series, double origin, double length);

/// A series folded at its period: value of cycle c in phase p at [c * phases + p], NaN where there
/// is none.
struct Cycles {
  double period = 0;  ///< seconds
  std::size_t phases = 0, cycles = 0;
  std::vector<double> at;  ///< mean time of the values, as many as `value`
  std::vector<double> value;

  [[nodiscard]] std::size_t index(std::size_t cycle, std::size_t phase) const {
    return cycle * phases + phase;
  }
};

/// Each cell the median of its values. Keeps the newest `most_cycles` cycles. Requires what
/// stretches() requires, and a value.
Cycles fold(const Series& series, double period, std::size_t phases, std::size_t most_cycles);

}  // namespace nz::analysis
