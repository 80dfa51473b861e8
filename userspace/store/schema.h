// The tables of the file, and how an older file becomes one of today.
//
//   series     what a number stands for: name, labels, type
//   intervals  begin and end of those that are not in blocks yet
//   recent     what happened in them: a row for each 128 series, with a cell of each that was there
//              (cell.h)
//   blocks     a row for each series and period: its intervals, packed (block.h). `recent` goes
//              there when a quarter of a period is over, so that writing touches few places, and
//              reading a month of one series some ninety rows that lie together
//   events, state, reports: see store.h
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "userspace/base/result.h"
#include "userspace/store/connection.h"
#include "userspace/store/level.h"

namespace nz::store {

inline constexpr std::int64_t kSchemaVersion = 1;
/// PRAGMA application_id of our files: "nzHS".
inline constexpr std::int64_t kApplicationId = 0x6e7a4853;

/// One step: from the version before to `to`.
struct Migration {
  std::int64_t to;
  std::function<void(Connection&)> apply;
};
const std::vector<Migration>& migrations();

/// Brings the file to the newest version of `steps` in one transaction; an empty file gets all
/// tables. Error: EPROTONOSUPPORT where it was written by a newer program, EEXIST where it is
/// another program's database; kDamaged and others from SQLite.
Result<void> migrate(Connection& connection, const std::vector<Migration>& steps = migrations());

/// Key of a block: 2 bits level, 27 series, 34 begin of the period in seconds. Blocks of one series
/// and level lie together, in the order of time.
constexpr std::int64_t block_key(Level level, std::uint32_t series, std::int64_t period_ms) {
  return static_cast<std::int64_t>(index_of(level)) << 61U |
         static_cast<std::int64_t>(series) << 34U | period_ms / 1000;
}
/// The last Unix second that such a key can hold, in 2514: a later one would be another series'.
inline constexpr std::int64_t kLastSecond = (std::int64_t{1} << 34U) - 1;
/// Rows of `recent` hold the series whose numbers have the same upper bits: few enough that one of
/// them is found without reading all, many enough that a row is about a page.
constexpr std::uint32_t chunk_of(std::uint32_t series) { return series >> 7U; }
/// Key of such a row: 2 bits level, 20 chunk, 41 number of the interval.
constexpr std::int64_t recent_key(Level level, std::uint32_t chunk, std::int64_t interval) {
  return static_cast<std::int64_t>(index_of(level)) << 61U |
         static_cast<std::int64_t>(chunk) << 41U | interval;
}
inline constexpr std::int64_t kLastInterval = (std::int64_t{1} << 41U) - 1;
inline constexpr std::uint32_t kMostSeriesId = (1U << 27U) - 1;
/// Numbers from here on are given by imports, those below by the agent: neither has to wait for the
/// other to number a series.
inline constexpr std::uint32_t kFirstImportedId = 1U << 26U;

}  // namespace nz::store
