// What happened while nobody observed: the agent itself started, and maybe the host, or its kernel
// is another.
#pragma once

#include <string>
#include <vector>

#include "analysis/event.h"
#include "userspace/store/store.h"

namespace nz::agent {

/// Of a start at `now`, Unix seconds. What the boot and the kernel were before is kept in the
/// store; null: there is none, and only the start itself is told. Where the store does not know (it
/// cannot be read, which is logged, or is new), a boot of the last day is told by its age, and a
/// new kernel at the next start that can read it. `proc`: for tests.
std::vector<analysis::Event> start_events(double now, store::Store* store,
                                          const std::string& proc = "/proc");

}  // namespace nz::agent
