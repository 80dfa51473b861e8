// The database files of targets, looked at from outside: sizes, how far the WAL is ahead, and who
// holds which lock. No lock is taken, and nothing of the target is stopped for it.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "probes/probe.h"
#include "probes/sqlite/held_locks.h"
#include "probes/sqlite/lock_looks.h"
#include "userspace/advice/journal_advice.h"

namespace nz::probes {

class DatabaseWatch {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t kDatabases = 16;  ///< of one target
  static constexpr std::chrono::seconds kFindEvery{10};
  static constexpr std::size_t kHolders = 32;  ///< of one database

  explicit DatabaseWatch(const Env& env) : env_(env) {}

  /// `pids`: the processes of each slot. Files are looked for once in kFindEvery, locks each time.
  void tick(const std::map<uint32_t, std::vector<pid_t>>& pids, Clock::time_point now);
  /// nearzero_sqlite_database_bytes, _database_device, _wal_frames, _lock_held_seconds,
  /// _transaction_seconds, _lock_seen_total.
  void collect(std::vector<metrics::Family>& out) const;
  /// The journals of a target's databases, as they are now: by name as the process sees it.
  [[nodiscard]] std::map<std::string, advice::JournalState> journals(
      const std::string& target) const;
  void stop() { databases_.clear(), held_.clear(); }

 private:
  using Key = std::pair<uint32_t, std::string>;  // slot and database as it is shown

  [[nodiscard]] metrics::Labels labels_of(const HeldLocks::Key& key,
                                          const HeldLocks::Held& held) const;

  const Env& env_;
  std::map<Key, advice::OpenDatabase> databases_;
  HeldLocks held_;
  LockLooks looks_;
  Clock::time_point last_find_;
};

}  // namespace nz::probes
