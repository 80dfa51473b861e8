// The bytes of one function with the branches that lead into its beginning.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "userspace/sites/binary.h"
#include "userspace/sites/prologue.h"

namespace nz::sites {

struct FunctionCode {
  std::vector<uint8_t> bytes;
  bool size_known = false;  ///< false: the symbol has no size, `bytes` reach to the next function
  Sweep sweep;              ///< linear decode of `bytes`
  bool indirect_jump = false;
  std::vector<int64_t>
      branch_targets;          ///< of direct branches of body and cold part, from the start
  std::optional<Symbol> cold;  ///< the part that GCC split off: name.cold
  std::vector<uint8_t> cold_bytes;
  Sweep cold_sweep;
};

/// Reads and decodes a function. Errors: an ifunc resolver, not in an executable segment, in the
/// PLT, nothing to decode.
Result<FunctionCode> read_function(const Binary& binary, const Symbol& symbol);

}  // namespace nz::sites
