// Addresses to names: the kernel's by /proc/kallsyms, a program's by its mapped files.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "userspace/sites/binary.h"
#include "userspace/symbols/kernel_symbols.h"
#include "userspace/symbols/process_maps.h"

namespace nz::trace {

class Stacks {
 public:
  /// Innermost first, "schedule+0x2b", "0xffff... ?" where nothing is known.
  std::vector<std::string> kernel(std::span<const uint64_t> addresses);
  /// The same of process `pid`, "orders::submit+0x1c (gateway)". Files are read once and kept.
  std::vector<std::string> user(pid_t pid, std::span<const uint64_t> addresses);

 private:
  const sites::Binary* binary(const symbols::Region& region);

  symbols::KernelSymbols kernel_;
  symbols::ProcessMaps maps_;
  std::map<symbols::FileId, std::optional<sites::Binary>> binaries_;
};

}  // namespace nz::trace
