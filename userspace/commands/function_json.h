// A function as `nearzero list` and `nearzero check` write it in JSON (docs/cli.md).
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "userspace/inspect/functions.h"

namespace nz::commands {

nlohmann::json function_json(const inspect::Function& function);

}  // namespace nz::commands
