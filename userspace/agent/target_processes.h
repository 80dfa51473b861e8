// The targets as the resources know them: names and processes, no probes.
#pragma once

#include <vector>

#include "userspace/resources/processes.h"
#include "userspace/targets/tracker.h"

namespace nz::agent {

/// Every configured target with its processes of now, also those that have none.
std::vector<resources::TargetProcesses> target_processes(const targets::Tracker& tracker);

}  // namespace nz::agent
