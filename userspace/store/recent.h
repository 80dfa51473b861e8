// What is not in blocks yet: rows of the table `recent`, each an interval of a chunk's series.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "userspace/store/cell.h"
#include "userspace/store/connection.h"
#include "userspace/store/level.h"
#include "userspace/store/schema.h"

namespace nz::store {

/// By their number.
using Intervals = std::map<std::int64_t, Interval>;

/// Those that `which` selects: SQL from FROM on, with its arguments.
template <class... Arguments>
Intervals intervals_of(Connection& c, const std::string& which, const Arguments&... arguments) {
  Intervals intervals;
  Rows rows = c.query("SELECT seq,from_ms,to_ms " + which, arguments...);
  while (rows.next()) intervals[rows.integer(0)] = {rows.integer(1), rows.integer(2)};
  return intervals;
}

/// Calls `each(interval, series, cell)` for every cell of a chunk in these intervals, of which
/// there is at least one. `cell` is as read_row() gives it. A failure stays in the connection.
template <class Each>
void read_recent(Connection& c, Level level, std::uint32_t chunk, const Intervals& intervals,
                 Each each) {
  Rows rows = c.query("SELECT seq,cells FROM recent WHERE key>=? AND key<=? ORDER BY key",
                      recent_key(level, chunk, intervals.begin()->first),
                      recent_key(level, chunk, intervals.rbegin()->first));
  while (rows.next()) {
    const auto interval = intervals.find(rows.integer(0));
    if (interval == intervals.end()) continue;
    read_row(rows.bytes(1), [&](std::uint32_t series, std::string_view cell) {
      each(interval->second, series, cell);
    });
  }
}

}  // namespace nz::store
