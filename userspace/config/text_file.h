// The text of a file that people write: a configuration, alert rules.
#pragma once

#include <string>

#include "userspace/base/result.h"

namespace nz::config {

/// A regular file or a pipe, at most a byte more than Document::kMostBytes, which read_document()
/// then refuses. Errors: not there, not readable, a directory, too large.
Result<std::string> read_text_file(const std::string& path);

}  // namespace nz::config
