// What a schema cannot say: addresses, names that must differ, sums against limits.
#pragma once

#include "userspace/config/config.h"
#include "userspace/config/problems.h"

namespace nz::config {

/// Reports each violation at the place that `locate` finds. Places about which something is known
/// already are passed over, so that one mistake gives one message.
void check_semantics(const Config& config, const Locate& locate, Problems& problems);

}  // namespace nz::config
