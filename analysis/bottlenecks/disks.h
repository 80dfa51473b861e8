// The host's disks: use, queue and latency in both windows.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/bottlenecks/candidate.h"

namespace nz::analysis {

struct Disk {
  std::string device;
  double busy = 0, busy_before = 0;    ///< share of the time
  double queue = 0, queue_before = 0;  ///< mean number of requests
  double bytes = 0, bytes_before = 0;  ///< per second
  /// Mean of one request in seconds, queue included where it is timed; 0: not known.
  double latency = 0, latency_before = 0;

  [[nodiscard]] bool saturated(const Context& context) const;
  /// Its requests take longer than in the reference; nothing where that is not known.
  [[nodiscard]] std::optional<bool> slower(const Context& context) const;
};

/// Most queued first.
std::vector<Disk> disks(const Context& context);

}  // namespace nz::analysis
