#include "probes/sqlite/held_locks.h"

#include <utility>

namespace nz::probes {

using advice::DatabaseLock;

bool HeldLocks::Held::is_own_transaction() const {
  if (!own || holder.whole_file) return false;
  return holder.lock == DatabaseLock::write || holder.lock == DatabaseLock::read;
}

void HeldLocks::see(uint32_t slot, const std::string& database, advice::LockHolder holder, bool own,
                    Clock::time_point now) {
  const auto [at, fresh] = held_.try_emplace({slot, database, holder.pid, holder.lock, holder.mark},
                                             Held{holder, now, now, own});
  Held& held = at->second;
  // Seen again, but in another transaction: it came back meanwhile.
  if (held.holder.version != holder.version) held.since = now;
  held.own = own;
  held.holder = std::move(holder);
  held.seen = now;
}

void HeldLocks::end_look(Clock::time_point now) {
  std::erase_if(held_, [now](const auto& entry) { return entry.second.seen != now; });
}

const HeldLocks::Held* HeldLocks::longest_pin(uint32_t slot, const std::string& database) const {
  const Held* longest = nullptr;
  for (const auto& [key, held] : held_) {
    if (std::get<0>(key) != slot || std::get<1>(key) != database || !held.holder.pins_wal) continue;
    if (longest == nullptr || held.seconds() > longest->seconds()) longest = &held;
  }
  return longest;
}

}  // namespace nz::probes
