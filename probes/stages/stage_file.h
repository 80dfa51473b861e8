// Which file of a process a stage's functions are in, and what users call that file.
#pragma once

#include <sys/types.h>

#include <string>

#include "userspace/base/result.h"
#include "userspace/config/config.h"
#include "userspace/targets/process.h"

namespace nz::probes {

/// The file that a stage's functions are in, as a path that we can open.
Result<std::string> file_of_stage(pid_t pid, const config::Stage& stage);

/// `text` with the process' name of `file`: users know /opt/orders/gateway, not /proc/4711/exe.
std::string with_real_path(std::string text, const std::string& file,
                           const targets::Process& process);

}  // namespace nz::probes
