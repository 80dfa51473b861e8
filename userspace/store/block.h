// Intervals of one series one after the other, packed: `blocks.data`. Cells of counters and gauges
// follow one another, each after the one before; histograms are written slot by slot, because one
// slot is alike from interval to interval, and what is alike is small when it is packed.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/store/cell.h"

namespace nz::store {

class BlockWriter {
 public:
  void add(const Interval& interval, const Cell& cell);
  [[nodiscard]] std::size_t points() const { return points_; }
  /// From the first begin to the last end; requires a point.
  [[nodiscard]] Interval range() const { return range_; }
  /// Whether no interval begins before the one that was added before it.
  [[nodiscard]] bool sorted() const { return sorted_; }
  [[nodiscard]] std::string packed() const;

 private:
  std::string bytes_;  // times, and the cells of counters and gauges
  std::string slots_;  // of histograms, interval by interval; none is shorter than a byte
  std::size_t points_ = 0;
  Interval last_, range_;
  double value_ = 0;
  bool sorted_ = true;
};

/// Calls `each` for each interval as it was added. The cell is the same object every time. False:
/// the bytes are not a block; what could be read of it has been given.
bool read_block(std::string_view packed,
                const std::function<void(const Interval&, const Cell&)>& each);

/// One series' intervals, decoded.
using Points = std::vector<std::pair<Interval, Cell>>;
/// The points of a block, sorted by their begin.
Points points_of(std::string_view packed);
BlockWriter block_of(Points points);

}  // namespace nz::store
