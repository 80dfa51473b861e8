// A stage's time by what its thread did. The kernel side adds up every part but the largest:
// running is what the others leave of the stage's sum, which saves an atomic addition per order.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>

#include "nearzero/abi.h"

namespace nz::probes {

class Components {
 public:
  /// Nanoseconds by enum nz_component. `sum_ns` of the stage's histogram, read before `stats`: an
  /// end that came between the two readings can then only make running too small, and a counter
  /// that fell would be taken for a restart, so it keeps what it was until the next reading.
  std::array<uint64_t, NZ_COMPONENTS> of(uint16_t stage, const nz_stage_stats& stats,
                                         uint64_t sum_ns) {
    std::array<uint64_t, NZ_COMPONENTS> parts{};
    uint64_t others = stats.torn_ns;
    for (size_t i = NZ_RUNNING + 1; i < NZ_COMPONENTS; i++) {
      parts[i] = stats.component_ns[i];
      others += parts[i];
    }
    uint64_t& running = running_[stage];
    if (sum_ns > others && sum_ns - others > running) running = sum_ns - others;
    parts[NZ_RUNNING] = running;
    return parts;
  }

 private:
  std::map<uint16_t, uint64_t> running_;
};

}  // namespace nz::probes
