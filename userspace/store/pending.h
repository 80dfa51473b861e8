// An interval of all series on its way to the disk.
#pragma once

#include <cstddef>
#include <deque>
#include <string>

#include "userspace/store/cell.h"
#include "userspace/store/connection.h"

namespace nz::store {

struct Pending {
  Level level = Level::raw;
  Interval interval;
  std::string cells;      ///< as `recent.cells`
  std::size_t count = 0;  ///< of cells
};

inline Pending pending_of(Level level, const Row& row) {
  return {level, row.interval, encode(row), row.cells.size()};
}

/// Rollups of the rows that the last run did not live to roll up. What it had begun ends where it
/// ended: between it and us there is a hole. To be written in one transaction, before anything
/// else. A failure stays in the connection.
std::deque<Pending> left_to_roll_up(Connection& connection);

}  // namespace nz::store
