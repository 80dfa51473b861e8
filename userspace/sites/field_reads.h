// Which fields a tiny function reads: follows its first argument through registers, the stack frame
// and pointers. Straight-line reasoning over a linear decode: enough for accessors, useless for
// more.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace nz::sites {

/// Displacements to add and dereference, from the first argument on: {0x20, 8} is *(*(arg + 0x20) +
/// 8).
using FieldPath = std::vector<int64_t>;

enum class AccessKind { load, store_constant, compare_constant, test_constant };

struct FieldAccess {
  AccessKind kind = AccessKind::load;
  FieldPath path;        ///< ends at the field that is accessed
  uint8_t width = 0;     ///< bytes
  int64_t constant = 0;  ///< stored, compared or tested; for loads: unused
};

struct FieldReads {
  std::vector<FieldAccess> accesses;  ///< in the order of the code
  std::optional<FieldPath>
      returned;  ///< what rax holds at the (last) ret or tail jump, when a field
  std::optional<uint64_t>
      lea_rip;           ///< last rip-relative lea into rax: offset from the code's start
  bool decoded = false;  ///< the whole function was understood as instructions
};

/// `code`: all bytes of the function.
FieldReads read_fields(std::span<const uint8_t> code);

}  // namespace nz::sites
