// An interval of all series on its way to the disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "userspace/store/cell.h"
#include "userspace/store/connection.h"

namespace nz::store {

struct Pending {
  Level level = Level::raw;
  Interval interval;
  std::vector<std::pair<std::uint32_t, std::string>> chunks;  ///< as `recent.cells`
  std::size_t count = 0;                                      ///< of cells
  std::size_t bytes = 0;
};

Pending pending_of(Level level, const Row& row);

/// Rollups of the intervals that the last run did not live to roll up. What it had begun ends where
/// it ended: between it and us there is a hole. To be written in one transaction, before anything
/// else. A failure stays in the connection.
std::deque<Pending> left_to_roll_up(Connection& connection);

}  // namespace nz::store
