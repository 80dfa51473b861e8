// "BINARY:PATTERN" as people type it, and the file that is meant.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "userspace/base/result.h"

namespace nz::inspect {

/// A file and what is looked for in it.
struct Place {
  std::string path;     ///< under which we can open it
  std::string shown;    ///< as people know it
  std::string pattern;  ///< what stood after the first colon; empty when nothing did
};

/// Takes "BINARY" or "BINARY:PATTERN" apart. BINARY is a path, the name of a program in $PATH, or
/// the name of a library ("libssl.so.3", "libssl", "ssl"), which is looked for where the loader
/// would. With `pid` it is looked for among the files that this process has mapped first, through
/// its own mount namespace; an empty BINARY (":PATTERN") is then its executable.
/// Errors, with the places that were looked at: no such file, no such process.
Result<Place> find_place(const std::string& text, std::optional<pid_t> pid);

}  // namespace nz::inspect
