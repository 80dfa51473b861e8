#include "userspace/store/tails.h"

#include <algorithm>
#include <set>

#include "userspace/store/recent.h"
#include "userspace/store/schema.h"

namespace nz::store {

Tails::Tails(Connection& c, const std::unordered_map<std::uint32_t, std::size_t>& place_of,
             std::size_t places, const std::array<std::int64_t, kLevelCount>& from, std::int64_t to)
    : cells_(places) {
  std::set<std::uint32_t> chunks;
  for (const auto& [series, place] : place_of) chunks.insert(chunk_of(series));
  for (const Level level : kLevels) {
    if (from[index_of(level)] == kNever) continue;
    const Intervals intervals =
        intervals_of(c, "FROM intervals WHERE level=? AND to_ms>? AND from_ms<?", level,
                     from[index_of(level)], to);
    if (intervals.empty()) continue;
    for (const std::uint32_t chunk : chunks) {
      const auto keep = [&](const Interval& interval, std::uint32_t series, std::string_view cell) {
        const auto place = place_of.find(series);
        if (place == place_of.end()) return;
        cells_[place->second][index_of(level)].push_back({interval, bytes_.size(), cell.size()});
        bytes_ += cell;
      };
      read_recent(c, level, chunk, intervals, keep);
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
