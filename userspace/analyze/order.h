// The order of time in a file, and its gaps.
#pragma once

#include <cstddef>
#include <vector>

#include "userspace/analyze/csv.h"

namespace nz::analyze {

/// A series in the order of time with the place of each point in the file.
struct Ordered {
  analysis::Series series;
  std::vector<std::size_t> place;  ///< empty: the file's order is that of time
  [[nodiscard]] std::size_t in_file(std::size_t i) const { return place.empty() ? i : place[i]; }
};

/// Stable: points of one time keep the order of the file.
Ordered in_order_of_time(const CsvSeries& csv);

/// Evenly spaced values, NaN where a row is missing, for methods that count in points.
struct Even {
  std::vector<double> value;
  std::vector<std::size_t> point;  ///< of each value, the one in the series; of a hole, the next one
  double step = 0;                 ///< seconds; 0: the times are not even, and `value` is as it was
};

/// Where at least nine of ten steps are the usual one or a multiple of it, and holes would not make
/// the series more than twice as long. Requires ascending times.
Even even(const analysis::Series& series);

}  // namespace nz::analyze
