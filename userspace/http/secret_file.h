// Files that hold a secret: read whole, and only when nobody else may read them.
#pragma once

#include <string>
#include <string_view>

#include "userspace/base/result.h"

namespace nz::http {

/// The content of a regular file of at most 256 KB. `key` is the configuration key that names it,
/// for messages. Errors: cannot be opened, not a regular file, too large and, where `secret`,
/// readable or writable by others than owner and group (the remedy is the chmod command).
Result<std::string> read_protected(const std::string& path, const std::string& key, bool secret);

/// Whether a host of a URL (without brackets) is this one.
bool is_loopback(std::string_view host);
/// Whether a secret that is sent to this URL can be read on its way: plain http to another host.
bool can_be_overheard(std::string_view url);

}  // namespace nz::http
