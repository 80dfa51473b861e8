// The clocks of the agent.
#pragma once

#include <chrono>
#include <cstdint>
#include <ctime>

namespace nz {

/// CLOCK_MONOTONIC in nanoseconds: what the kernel side reads, too (bpf_ktime_get_ns).
inline uint64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

/// The time of day: seconds since 1970, UTC.
inline double unix_seconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace nz
