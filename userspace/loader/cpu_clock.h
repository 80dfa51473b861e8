// Programs that run when the clock of a CPU ticks: perf events of the kernel's own clock, which
// needs no hardware counter and so is there in every guest.
#pragma once

#include <cstdint>

#include "userspace/base/fd.h"
#include "userspace/base/result.h"

namespace nz::loader {

/// Runs `program_fd` each `period_ns` of time on `cpu`, but for its idle task. The event lives as
/// long as the descriptor: kill -9 ends it.
Result<Fd> open_cpu_clock(int program_fd, uint32_t cpu, uint64_t period_ns);

}  // namespace nz::loader
