// How the end of a function is seen: a return probe where that is safe, its exit instructions
// elsewhere.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "userspace/sites/entry_site.h"

namespace nz::sites {

/// What is known beyond the binary itself.
struct ReturnPolicy {
  /// No exception passes through the function: the user said `nothrow: true`, or it is C code that
  /// calls no C++ back, as SQLite's functions.
  bool nothrow = false;
  /// Exit instructions even where a return probe would be safe.
  bool prefer_exit_instructions = false;
  /// The target process has a user shadow stack (user_shadow_stack_active).
  bool shadow_stack = false;
  /// Another object of the target process switches stacks (Traits::stack_switching of any of them).
  bool process_switches_stacks = false;
  /// Argument registers that the entry probe needs; ArgumentRegister bits.
  uint8_t arguments = 0;
};

/// A return probe whose entry site is `entry`.
struct ReturnProbe {
  EntrySite
      entry;  ///< sp_displacement is 0: the kernel rewrites the return address at the site's rsp
};

enum class ExitKind { ret, tail_jump };

struct ExitInstruction {
  uint64_t offset = 0;        ///< in the file
  int64_t into_function = 0;  ///< from the function's start; cold parts may lie before it
  ExitKind kind = ExitKind::ret;
  Cost expected = Cost::single_step;  ///< ret is single-stepped, a direct tail jump is emulated
};

/// Every instruction by which control leaves the function. At each of them rsp is that of the
/// entry, so thread and rsp name the call.
struct ExitInstructions {
  std::vector<ExitInstruction> exits;  ///< by offset
  bool maybe_incomplete = false;  ///< calls may end without reaching one of them: see the caveat
};

struct ReturnPlan {
  std::variant<ReturnProbe, ExitInstructions> how;
  std::string why;     ///< one clause
  std::string caveat;  ///< what could be missed, or empty
};

/// Chooses how to see returns. Refused are: all in Go binaries (the runtime copies stacks and finds
/// return addresses changed; its functions end in ways that instructions do not show); return
/// probes where stacks are switched, where exceptions can pass and `nothrow` is not given, and
/// under a shadow stack. longjmp alone is survived by the kernel: prepare_uretprobe() and the
/// trampoline discard instances below the stack pointer (arch_uretprobe_is_alive); the skipped
/// return is never reported.
Result<ReturnPlan> choose_return(const Binary& binary, const Symbol& symbol,
                                 const ReturnPolicy& policy, const KernelTraits& kernel);

}  // namespace nz::sites
