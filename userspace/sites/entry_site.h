// Where the entry probe of a function sits: on the cheapest instruction that is still the entry.
#pragma once

#include <cstdint>
#include <string>

#include "userspace/sites/binary.h"
#include "userspace/sites/prologue.h"

namespace nz::sites {

/// What a probe needs to find unchanged at its site.
struct Need {
  uint8_t arguments = 0;  ///< ArgumentRegister bits that must still hold the caller's values
  /// The stack pointer must be that of the entry: a return probe rewrites the word it points at.
  bool stack_pointer_at_entry = false;
  /// The target runs with a user shadow stack (user_shadow_stack_active): no CALL may be probed,
  /// since branch_emulate_op() pushes the return address on the normal stack only, and the next ret
  /// faults.
  bool shadow_stack = false;
};

/// Cost class of one hit, measured on 6.18: 440-650 ns emulated, 9-10 us single-stepped.
enum class Cost { emulated, single_step };

struct EntrySite {
  uint64_t offset = 0;         ///< in the file: give it to uprobe_multi or perf_event_open
  uint64_t into_function = 0;  ///< bytes after the function's first
  Kind kind = Kind::other;     ///< of the instruction at the site
  Cost expected = Cost::single_step;
  /// Bytes that the stack pointer has moved down since the entry: at the site, the stack pointer of
  /// the entry is rsp + sp_displacement, and an entry can be keyed by it. 0 when
  /// Need::stack_pointer_at_entry.
  int64_t sp_displacement = 0;
  std::string instruction;  ///< AT&T text
  std::string why;          ///< one clause for people
  std::string caveat;       ///< what could be counted wrongly, or empty
};

/// Chooses the site. The first instruction of the straight-line prologue that this kernel emulates,
/// where `need` still holds, that no branch enters and no other symbol names; a NOP that the kernel
/// would replace by a CALL only where no red zone can be in use. Otherwise the first byte,
/// single-stepped. Errors: ifunc, PLT, not executable, not decodable, or an instruction where the
/// kernel refuses uprobes.
Result<EntrySite> choose_entry(const Binary& binary, const Symbol& symbol, const Need& need,
                               const KernelTraits& kernel);

}  // namespace nz::sites
