// What happened to a host or a service that may explain why its figures changed.
#pragma once

#include <algorithm>
#include <string>

namespace nz::analysis {

struct Event {
  double at = 0;     ///< Unix seconds
  std::string kind;  ///< "process_start", "new_build", "config_reload", "agent_start", "boot", ...
  std::string target;  ///< the service; "host" where it is none's
  std::string text;    ///< one line in plain words
};

/// Whether an event so many seconds apart from a change may explain it, where `most` is how far one
/// may be. What the agent's own start changes (the cost of its probes) shows within a minute.
inline bool may_explain(const Event& event, double apart, double most) {
  return apart <= (event.kind == "agent_start" ? std::min(most, 60.0) : most);
}

}  // namespace nz::analysis
