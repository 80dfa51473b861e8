#include "userspace/store/tails.h"

#include <algorithm>
#include <map>
#include <set>

#include "userspace/store/schema.h"

namespace nz::store {

Tails::Tails(Connection& c, const std::unordered_map<std::uint32_t, std::size_t>& place_of,
             std::size_t places, const std::array<std::int64_t, kLevelCount>& from, std::int64_t to)
    : cells_(places) {
  std::set<std::uint32_t> chunks;
  for (const auto& [series, place] : place_of) chunks.insert(chunk_of(series));
  for (const Level level : kLevels) {
    if (from[index_of(level)] == kNever) continue;
    std::map<std::int64_t, Interval> intervals;
    {
      Rows rows =
          c.query("SELECT seq,from_ms,to_ms FROM intervals WHERE level=? AND to_ms>? AND from_ms<?",
                  level, from[index_of(level)], to);
      while (rows.next()) intervals[rows.integer(0)] = {rows.integer(1), rows.integer(2)};
    }
    if (intervals.empty()) continue;
    for (const std::uint32_t chunk : chunks) {
      Rows rows = c.query("SELECT seq,cells FROM recent WHERE key>=? AND key<=? ORDER BY key",
                          recent_key(level, chunk, intervals.begin()->first),
                          recent_key(level, chunk, intervals.rbegin()->first));
      while (rows.next()) {
        const auto interval = intervals.find(rows.integer(0));
        if (interval == intervals.end()) continue;
        read_row(rows.bytes(1), [&](std::uint32_t series, std::string_view cell) {
          const auto place = place_of.find(series);
          if (place == place_of.end()) return;
          cells_[place->second][index_of(level)].push_back(
              {interval->second, bytes_.size(), cell.size()});
          bytes_ += cell;
        });
      }
    }
    for (auto& series : cells_) {
      auto& cells = series[index_of(level)];
      std::stable_sort(cells.begin(), cells.end(), [](const TailCell& a, const TailCell& b) {
        return a.interval.from < b.interval.from;
      });
    }
  }
}

}  // namespace nz::store
