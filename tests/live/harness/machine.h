// How dear traps and system calls are on this machine now.
#pragma once

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "userspace/base/clock.h"

namespace nz::live {

/// 1 where a system call takes at most 200 ns; as many times more as it takes more, which a busy
/// hypervisor makes of it now and then (1,070 ns seen, and 5.3 us for a uprobe in place of 0.45).
/// What a test allows in nanoseconds for the cost of probes grows with it.
inline double trap_factor() {
  constexpr int kCalls = 20'000;
  double fastest = 1e9;
  for (int round = 0; round < 5; round++) {
    const auto start = monotonic_ns();
    for (int i = 0; i < kCalls; i++) syscall(SYS_getppid);
    fastest = std::min(fastest, static_cast<double>(monotonic_ns() - start) / kCalls);
  }
  return std::max(1.0, fastest / 200);
}

}  // namespace nz::live
