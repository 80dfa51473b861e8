#include "probes/sqlite/connections.h"

#include <algorithm>

namespace nz::probes {

void SqliteConnections::begin(uint32_t slot, const nz_sqlite_stats& before) {
  by_slot_.try_emplace(slot, Since{0, before.opens, before.closes});
}

void SqliteConnections::add(uint32_t slot, uint64_t files, const nz_sqlite_stats& before,
                            const nz_sqlite_stats& now) {
  const uint64_t opens = now.opens - before.opens;
  const uint64_t seen = opens - std::min(opens, now.closes - before.closes);
  by_slot_[slot].base += files - std::min(files, seen);
}

void SqliteConnections::reset(uint32_t slot, uint64_t files, const nz_sqlite_stats& now) {
  by_slot_[slot] = {files, now.opens, now.closes};
}

std::map<uint32_t, uint64_t> SqliteConnections::open(
    const std::map<uint32_t, nz_sqlite_stats>& now) const {
  std::map<uint32_t, uint64_t> result;
  for (const auto& [slot, c] : by_slot_) {
    const auto stats = now.find(slot);
    if (stats == now.end()) continue;
    const uint64_t up = c.base + stats->second.opens - c.opens;
    const uint64_t down = stats->second.closes - c.closes;
    result[slot] = up > down ? up - down : 0;
  }
  return result;
}

}  // namespace nz::probes
