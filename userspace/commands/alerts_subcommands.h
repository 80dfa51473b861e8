// The subcommands of `nearzero alerts`, a file each. `parent` is `nearzero alerts`.
#pragma once

#include "userspace/commands/command.h"

namespace nz::commands {

Command add_alerts_check(CLI::App& parent);
Command add_alerts_test(CLI::App& parent);
Command add_alerts_list(CLI::App& parent);
Command add_alerts_silence(CLI::App& parent);
Command add_alerts_prometheus(CLI::App& parent);

}  // namespace nz::commands
