// Names for many addresses of one file in one pass over its symbols, with nothing kept: a process
// that runs for months must not hold the symbol tables of everything that it ever sampled.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "userspace/base/result.h"

namespace nz::sites {

/// A function as bytes [begin, end) of its file.
struct FunctionRange {
  uint64_t begin = 0, end = 0;
  uint64_t address = 0;  ///< of its first byte, in the file's own numbering
  std::string name;      ///< demangled without parameters; empty: the file has no symbol for it
};

/// The function around each of `offsets` (in the file), in their order. As Binary::function_around:
/// the last to begin at or before it, unless its size says that it ends before; of several names
/// the one that Binary prefers. Where no symbol is there, the function's bounds are those of the
/// unwind table; where that does not know it either, the range is the one byte. Separate debug
/// files are looked for where Binary does. Errors: as Binary::open.
Result<std::vector<FunctionRange>> functions_around(
    const std::string& path, const std::vector<uint64_t>& offsets,
    const std::string& debug_directory = "/usr/lib/debug");

}  // namespace nz::sites
