// What the running kernel's uprobes do with an instruction: the version-dependent part.
#pragma once

#include <string>
#include <string_view>

namespace nz::sites {

/// Facts about uprobes that differ between kernels (x86-64). Sources are arch/x86/kernel/uprobes.c
/// at the commits named here.
struct KernelTraits {
  /// Multi-byte NOPs (0f 1f ...) are emulated; before, only 90 and 66 90 were.
  /// 6.16: 610f6e14c29d "uprobes/x86: Add support to emulate NOP instructions".
  bool emulates_multibyte_nop = false;
  /// A 5-byte NOP under a probe is replaced by a CALL, which overwrites 8 bytes of the red zone.
  /// 6.18: ba2bfc97b462 "uprobes/x86: Add support to optimize uprobes"; any 5-byte form since
  /// 7c2bfc183b05 "Accept more NOP forms" (same release). Later kernels take a 10-byte NOP instead
  /// and step over the red zone; which stable releases got that is not known here, so the rule
  /// stays.
  bool optimised_nop5 = false;
  std::string release;  ///< as in uname -r
};

/// Traits of the running kernel.
KernelTraits detect();

/// Traits of a kernel by its release ("6.18.44-fc-v595"). An unreadable release gets the cautious
/// values: no multi-byte NOP emulated, 5-byte NOPs replaced.
KernelTraits traits_of_release(std::string_view release);

/// Whether a user shadow stack is active in any thread of the process, by the line
/// "x86_Thread_features: shstk" of /proc/PID/task/TID/status (6.6, 0ee44885fe9c). False when the
/// process has gone or the kernel does not say.
bool user_shadow_stack_active(int pid);

/// The same from the text of one status file.
bool status_has_shadow_stack(std::string_view status);

}  // namespace nz::sites
