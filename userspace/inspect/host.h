// What this host allows, row by row.
#pragma once

#include <string>
#include <vector>

#include "userspace/observe/calibrate.h"

namespace nz::inspect {

struct Row {
  enum class State { ok, note, bad };
  State state = State::ok;
  std::string name, text;
};

struct Host {
  std::vector<Row> rows;
  bool privileged = false;  ///< else nothing was loaded, and prices are estimates
  bool supported = false;   ///< all of the agent's programs load
  observe::Prices prices;
};

/// Looks at the kernel, mounts and memory; with privileges loads every program of the agent once,
/// and measures what a hit of each costs here. Under a second.
Host look_at_host(const std::string& runtime_dir);

/// What a hit costs here, measured in about half a second; estimates where that is not possible.
observe::Prices prices_here();

}  // namespace nz::inspect
