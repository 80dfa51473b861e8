// How long after they were due the numbers of each drain could be read.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "analysis/histogram.h"
#include "userspace/metrics/family.h"

namespace nz::agent {

class DrainDelay {
 public:
  using Clock = std::chrono::steady_clock;

  /// When the first of `expirations` of a periodic timerfd that have just been read was due.
  static Clock::time_point due(int timer, std::uint64_t expirations);

  /// The numbers of the drain that was due then can be read now.
  void published(Clock::time_point due) { record(Clock::now() - due); }
  void record(Clock::duration delay);

  /// nearzero_drain_delay_seconds, of all drains before the one that is asked for.
  void collect(std::vector<metrics::Family>& out) const;

 private:
  analysis::Histogram delays_;
};

}  // namespace nz::agent
