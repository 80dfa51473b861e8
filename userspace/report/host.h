// The machine that this runs on.
#pragma once

#include <string>

#include "userspace/report/input.h"

namespace nz::report {

/// Name, kernel, CPUs online and memory as the system tells them; `version` of nearzero.
Host this_host(const std::string& version);

}  // namespace nz::report
