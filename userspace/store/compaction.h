// From rows by time to blocks by series.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "userspace/base/result.h"
#include "userspace/store/block.h"
#include "userspace/store/connection.h"

namespace nz::store {

struct Compacted {
  std::size_t blocks = 0;   ///< that were written
  std::size_t damaged = 0;  ///< of those: the file had one that could not be read whole
};

/// Puts all intervals but those of the part of a period that holds `now_ms` (level.h) into blocks,
/// in one transaction, a chunk of series at a time. Intervals that are not part of the coarser
/// level yet stay.
Result<Compacted> compact(Connection& connection, Level level, std::int64_t now_ms);

/// Writes the block of a series and period, together with what the file has of it. Part of the
/// caller's transaction. False: some of that could not be read, and is lost.
bool write_block(Connection& connection, Level level, std::uint32_t series, std::int64_t period_ms,
                 const BlockWriter& block);

/// `data` of the blocks of a series that overlap [range.from, range.to), in the order of time.
/// Requires 0 <= range.from, 0 < range.to. Intervals of a series follow one another, so that of the
/// periods before that of `range.from` only the last one that there is a block of can reach into
/// the range, however long ago it was: no interval of an earlier one ends later than it begins.
Rows blocks_over(Connection& connection, Level level, std::uint32_t series, const Interval& range);

/// Chunks of series that a level has in `recent`, ascending. A failure stays in the connection.
std::vector<std::uint32_t> chunks_of(Connection& connection, Level level);

/// From the first to the last moment that a level has, in blocks and not. A failure stays in the
/// connection.
std::optional<Interval> range_of(Connection& connection, Level level);

/// Names of `meta`: up to which row a level is part of the next one.
inline constexpr const char* kRolledUp[] = {"rolled_up.raw", "rolled_up.minute", "rolled_up.hour"};

}  // namespace nz::store
