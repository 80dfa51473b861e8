// The daemon: loads, attaches, follows targets, drains every second, answers scrapes; stops clean
// on SIGTERM and SIGINT, reloads on SIGHUP, switches off and on through the control socket.
#pragma once

#include <functional>

#include "userspace/config/config.h"

namespace nz::agent {

/// Reads the effective configuration again (file, environment, flags), for SIGHUP.
using Reload = std::function<Result<config::Config>()>;

/// Runs until a signal ends it. Returns an ExitCode; every failure has been logged with its remedy.
int run(const config::Config& config, const Reload& reload);

}  // namespace nz::agent
