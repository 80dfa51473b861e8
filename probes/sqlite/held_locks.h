// Who has a lock of a database, and since when in one transaction, as far as looks show it.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>

#include "userspace/advice/lock_holders.h"

namespace nz::probes {

class HeldLocks {
 public:
  using Clock = std::chrono::steady_clock;
  struct Held {
    advice::LockHolder holder;
    Clock::time_point since, seen;
    bool own = false;  ///< by a process of the target

    [[nodiscard]] double seconds() const {
      return std::chrono::duration<double>(seen - since).count();
    }
    /// Of the target itself: that it writes, or reads and pins the WAL. A checkpoint is none, and a
    /// lock of the whole file may be none.
    [[nodiscard]] bool is_own_transaction() const;
  };
  /// Slot, database as it is shown, process, lock, and the read mark (-1: none): a process may read
  /// on several, each in a transaction of its own.
  using Key = std::tuple<uint32_t, std::string, pid_t, advice::DatabaseLock, int>;

  /// Seen in the look of `now`. `own`: by a process of the target.
  void see(uint32_t slot, const std::string& database, advice::LockHolder holder, bool own,
           Clock::time_point now);
  /// Ends the look of `now`: who was not seen in it has no lock any more.
  void end_look(Clock::time_point now);
  void clear() { held_.clear(); }

  [[nodiscard]] const std::map<Key, Held>& all() const { return held_; }
  /// Whose read has been seen to pin the WAL of this database for longest; nullptr: nobody's.
  [[nodiscard]] const Held* longest_pin(uint32_t slot, const std::string& database) const;

 private:
  std::map<Key, Held> held_;
};

}  // namespace nz::probes
