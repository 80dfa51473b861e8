// Which quantities of a window are watched: what an operator would look at, of every family that
// tells of the service or the host. What nearzero says of itself is left to alert rules.
#pragma once

#include <vector>

#include "analysis/regression.h"
#include "analysis/window.h"

namespace nz::analysis {

struct Measured {
  Quantity of;
  double value = 0;  ///< in the quantity's unit; always finite
};

/// Latencies as p50 and p99 (where the window has enough values for them), counters as rates (under
/// a duty cycle by the seconds that were observed), levels as they are. In the order of families.
std::vector<Measured> quantities_of(const Window& window);

}  // namespace nz::analysis
