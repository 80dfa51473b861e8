// Logs: JSON through spdlog, one event a line.
#pragma once

#include <string>

#include "userspace/base/result.h"

namespace nz::base {

/// `level`: trace, debug, info, warn, error, off. `file`: empty for standard error.
Result<void> start_logging(const std::string& level, const std::string& file);

/// `text` as the inside of a JSON string.
std::string json_escape(std::string_view text);

}  // namespace nz::base
