// The database files of targets, looked at from outside: sizes, how far the WAL is ahead, and who
// holds which lock. No lock is taken, and nothing of the target is stopped for it.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "probes/probe.h"
#include "probes/sqlite/held_locks.h"
#include "probes/sqlite/lock_looks.h"
#include "userspace/advice/journal_advice.h"
#include "userspace/resources/context.h"

namespace nz::probes {

class DatabaseWatch {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t kDatabases = 16;  ///< of one target
  static constexpr std::chrono::seconds kFindEvery{10};
  static constexpr std::size_t kHolders = 32;  ///< of one database

  /// `paths`: where to look which disk a file lies on.
  explicit DatabaseWatch(const Env& env, resources::Paths paths = {})
      : env_(env), paths_(std::move(paths)) {}

  /// `pids`: the processes of each slot. Files, and the disks that they lie on, are looked for once
  /// in kFindEvery, locks each time.
  void tick(const std::map<uint32_t, std::vector<pid_t>>& pids, Clock::time_point now);
  /// nearzero_sqlite_database_bytes, _database_device, _wal_frames, _lock_held_seconds,
  /// _transaction_seconds, _lock_seen_total.
  void collect(std::vector<metrics::Family>& out) const;
  /// The journals of a target's databases, as they are now: by name as the process sees it.
  [[nodiscard]] std::map<std::string, advice::JournalState> journals(
      const std::string& target) const;
  void stop() { databases_.clear(), held_.clear(); }

 private:
  struct Found {
    advice::OpenDatabase database;
    std::string device;  ///< the whole disk's name; empty: on no disk of this host
  };
  using Key = std::pair<uint32_t, std::string>;  // slot and database as it is shown

  void find(const std::map<uint32_t, std::vector<pid_t>>& pids);
  [[nodiscard]] metrics::Labels labels_of(const HeldLocks::Key& key,
                                          const HeldLocks::Held& held) const;

  const Env& env_;
  resources::Paths paths_;
  std::map<Key, Found> databases_;
  HeldLocks held_;
  LockLooks looks_;
  Clock::time_point last_find_;
};

}  // namespace nz::probes
