// Does a process fit the conditions that the configuration gives for a target?
#pragma once

#include "userspace/config/config.h"
#include "userspace/targets/process.h"

namespace nz::targets {

/// All given conditions must hold; kernel threads never match.
bool matches(const config::Match& match, const Process& process);

}  // namespace nz::targets
