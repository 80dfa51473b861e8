// What happened to a host or a service that may explain why its figures changed.
#pragma once

#include <string>

namespace nz::analysis {

struct Event {
  double at = 0;     ///< Unix seconds
  std::string kind;  ///< "process_start", "new_build", "config_reload", "agent_start", "boot", ...
  std::string target;  ///< the service; "host" where it is none's
  std::string text;    ///< one line in plain words
};

}  // namespace nz::analysis
