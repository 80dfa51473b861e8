// Whose network figures are a target's: the host's, or those of a namespace of its own.
#pragma once

#include <string>
#include <vector>

#include "analysis/bottlenecks/window_index.h"

namespace nz::analysis {

/// Families and labels of the counters of one network stack.
struct NetworkScope {
  const char* tcp_events;  ///< with a label event
  const char* drops;
  const char* errors;
  Labels labels;  ///< that each of its series has
  bool own;       ///< not the host's

  /// `labels`, and an event.
  [[nodiscard]] Labels event(const std::string& name) const;
};

/// The host's, unless the target lives in other network namespaces: then those, without the host's
/// but where some of its processes live there too. Never empty. A namespace of its own that nobody
/// could read has no series: nothing is known then, and the host's figures are not its.
std::vector<NetworkScope> network_scopes(const WindowIndex& now, const std::string& target);

}  // namespace nz::analysis
