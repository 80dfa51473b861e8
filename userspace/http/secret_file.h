// Files that hold a secret: read whole, and only when nobody else may read them.
#pragma once

#include <string>

#include "userspace/base/result.h"

namespace nz::http {

/// The content of a regular file of at most 256 KB. `key` is the configuration key that names it,
/// for messages. Errors: cannot be opened, not a regular file, too large and, where `secret`,
/// readable or writable by others than owner and group (the remedy is the chmod command).
Result<std::string> read_protected(const std::string& path, const std::string& key, bool secret);

}  // namespace nz::http
