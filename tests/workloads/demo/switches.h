// What faults change of the service while it runs: read on the order path, set by Faults.
#pragma once

#include <atomic>
#include <cstdint>

namespace demo {

/// SQLite's own: SQLITE_DEFAULT_WAL_AUTOCHECKPOINT.
inline constexpr int kDefaultCheckpointPages = 1000;

struct Switches {
  std::atomic<uint64_t> signal_times{1};  // compute_signal does so many times its work
  std::atomic<int> checkpoint_pages{kDefaultCheckpointPages};  // a commit checkpoints from here on
  std::atomic<bool> open_per_order{false};  // limits are looked up on a connection of their own
  std::atomic<bool> stop_accepting{false};  // the status port
};

inline Switches g_switches;

}  // namespace demo
