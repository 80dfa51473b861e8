// The order of time in a file, and its gaps.
#pragma once

#include <cstddef>
#include <vector>

#include "userspace/analyze/csv.h"

namespace nz::analyze {

/// A series in the order of time with the place of each point in the file. Points of one time keep
/// the order of the file. Refers to `csv`, which is copied only where it is out of order.
class Ordered {
 public:
  explicit Ordered(const CsvSeries& csv);
  [[nodiscard]] const analysis::Series& series() const { return place_.empty() ? *file_ : sorted_; }
  [[nodiscard]] std::size_t in_file(std::size_t i) const { return place_.empty() ? i : place_[i]; }

 private:
  const analysis::Series* file_;
  analysis::Series sorted_;
  std::vector<std::size_t> place_;  // empty: the file's order is that of time
};

/// Evenly spaced values, NaN where a row is missing, for methods that count in points.
struct Even {
  std::vector<double> value;
  std::vector<std::size_t>
      point;        ///< of each value, the one in the series; of a hole, the next one
  double step = 0;  ///< seconds; 0: the times are not even, and `value` is as it was
};

/// Where at least nine of ten steps are the usual one or a multiple of it, and holes would not make
/// the series more than twice as long. Requires ascending times.
Even even(const analysis::Series& series);

}  // namespace nz::analyze
