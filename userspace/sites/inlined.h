// Copies of a function that the compiler put into its callers: a probe at the function itself never
// fires for them. Told by DWARF, where there is any.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "userspace/sites/binary.h"

namespace nz::sites {

struct InlinedCopies {
  bool debug_info = false;         ///< else nothing is known
  size_t copies = 0;               ///< inlined copies found
  std::vector<std::string> where;  ///< the first of them: "orders.cpp:120 in demo::submit"
  bool complete = true;            ///< false: the time was up before all was looked at
};

/// Looks through the debug information of `binary` (its own or its separate debug file's) for at
/// most `limit`. `name` is a mangled or plain name; a demangled one is compared without parameters.
InlinedCopies find_inlined(const Binary& binary, const std::string& name,
                           std::chrono::milliseconds limit = std::chrono::seconds(10));

}  // namespace nz::sites
