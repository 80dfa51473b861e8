// What one series did during one interval, and how that is written.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "userspace/history/codec.h"
#include "userspace/metrics/family.h"
#include "userspace/store/level.h"

namespace nz::store {

struct Cell {
  metrics::Type type = metrics::Type::gauge;
  double value = 0;                      ///< counters and gauges: at the interval's end
  double growth = 0;                     ///< counters: in the interval, never negative
  double least = 0, most = 0, mean = 0;  ///< gauges
  /// Histograms: the values of the interval alone; slots that are not 0, ascending
  /// (history::Flat). The extremes are those that drains told, and may be missing.
  history::Deltas slots;
};

/// Those that are not 0: Cell::slots.
history::Deltas slots_of(const history::Flat& flat);

/// `before`: value of the same series one interval earlier, 0 where there is none; both sides give
/// the same. Doubles come back bit by bit, but for the mean of a gauge (to 1/65535 of what lies
/// between least and most) and for a growth that differs from the difference of two values by no
/// more than their last bits.
void put_cell(std::string& out, double before, const Cell& cell);
void get_cell(history::Bytes& in, double before, Cell& cell);

/// Cells of one interval: `recent.cells`.
class RowWriter {
 public:
  void add(std::uint32_t series, const Cell& cell);
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_, cell_;
  std::uint32_t last_ = 0;
};

/// Calls `each` with the number of each series and its cell as written with `before` = 0.
void read_row(std::string_view row,
              const std::function<void(std::uint32_t series, std::string_view cell)>& each);

/// An interval and what every series did in it.
struct Row {
  Interval interval;
  std::vector<std::pair<std::uint32_t, Cell>> cells;
};
/// By chunk (schema.h). Requires cells sorted by series.
std::vector<std::pair<std::uint32_t, std::string>> encode(const Row& row);
/// Adds the cells of a chunk.
void decode(std::string_view cells, Row& row);

}  // namespace nz::store
