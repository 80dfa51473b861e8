// Addresses to names: the kernel's by /proc/kallsyms, a program's by its mapped files.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "userspace/sites/binary.h"

namespace nz::trace {

class Stacks {
 public:
  /// Innermost first, "schedule+0x2b", "0xffff... ?" where nothing is known.
  std::vector<std::string> kernel(std::span<const uint64_t> addresses);
  /// The same of process `pid`, "orders::submit+0x1c (gateway)". Files are read once and kept.
  std::vector<std::string> user(pid_t pid, std::span<const uint64_t> addresses);

 private:
  struct KernelSymbol {
    uint64_t address;
    std::string name;
  };
  struct Region {
    uint64_t start, end, offset;
    std::string path;  // openable
    std::string file;  // shown
  };
  void load_kernel();
  const std::vector<Region>& regions(pid_t pid, bool again);
  const sites::Binary* binary(const std::string& path);

  bool kernel_loaded_ = false;
  std::vector<KernelSymbol> kernel_;  // by address
  std::map<pid_t, std::vector<Region>> regions_;
  std::map<std::string, std::optional<sites::Binary>> binaries_;  // by device and inode
  std::map<std::string, const sites::Binary*> by_path_;
};

}  // namespace nz::trace
