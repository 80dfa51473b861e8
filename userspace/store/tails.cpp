#include "userspace/store/tails.h"

#include <algorithm>

namespace nz::store {

Tails::Tails(Connection& c, const std::unordered_map<std::uint32_t, std::size_t>& place_of,
             std::size_t places, const std::array<std::int64_t, kLevelCount>& from,
             std::int64_t to)
    : cells_(places) {
  for (const Level level : kLevels) {
    if (from[index_of(level)] == kNever) continue;
    Rows rows = c.query(
        "SELECT from_ms,to_ms,cells FROM recent WHERE level=? AND to_ms>? AND from_ms<?", level,
        from[index_of(level)], to);
    while (rows.next()) {
      const Interval interval{rows.integer(0), rows.integer(1)};
      read_row(rows.bytes(2), [&](std::uint32_t series, std::string_view cell) {
        const auto place = place_of.find(series);
        if (place == place_of.end()) return;
        cells_[place->second][index_of(level)].push_back({interval, bytes_.size(), cell.size()});
        bytes_ += cell;
      });
    }
    for (auto& series : cells_) {
      auto& cells = series[index_of(level)];
      std::stable_sort(cells.begin(), cells.end(), [](const TailCell& a, const TailCell& b) {
        return a.interval.from < b.interval.from;
      });
    }
  }
}

std::int64_t bytes_of_tails(Connection& c, const std::array<std::int64_t, kLevelCount>& from,
                            std::int64_t to) {
  std::int64_t bytes = 0;
  for (const Level level : kLevels) {
    if (from[index_of(level)] == kNever) continue;
    bytes += c.number("SELECT sum(length(cells)) FROM recent WHERE level=? AND to_ms>? AND "
                      "from_ms<?",
                      level, from[index_of(level)], to)
                 .value_or(0);
  }
  return bytes;
}

}  // namespace nz::store
