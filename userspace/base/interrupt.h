// Ctrl-C for commands that run for a while: they look at a flag, and end in order.
#pragma once

#include <chrono>

namespace nz {

/// SIGINT, SIGTERM and SIGHUP set the flag; a second SIGINT ends the process as usual. SIGPIPE is
/// ignored: writing says that the reader has gone.
void catch_interrupts();
[[nodiscard]] bool interrupted();
/// Readable once interrupted, for poll(); -1 before catch_interrupts().
[[nodiscard]] int interrupt_fd();
/// Returns at `when`, or at once when interrupted.
void sleep_until_or_interrupt(std::chrono::steady_clock::time_point when);

}  // namespace nz
