// Writing to what is no regular file: a device, a pipe, what a link leads to. A file written beside
// it and renamed would take its place: /dev/null would be a file from then on, for everybody.
#pragma once

#include <string>
#include <string_view>

#include "userspace/base/result.h"

namespace nz {

/// Something is there, or where a link leads to, that is no regular file.
bool is_special(const std::string& path);

/// Writes to what is there, which stays what it is. `wait`: for the reader of a pipe, else that
/// there is none is an error. Errors name the path: a directory, a disk, a link to nowhere.
Result<void> write_through(const std::string& path, std::string_view text, bool wait);

}  // namespace nz
