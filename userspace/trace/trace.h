// `nearzero trace`: attaches, records by key, prints, detaches.
#pragma once

#include "userspace/trace/request.h"

namespace nz::trace {

/// Runs until the request is fulfilled or a signal ends it, and prints what was gathered in any
/// case. Returns an ExitCode; failures are on standard error with their remedy.
int run(const Request& request);

}  // namespace nz::trace
