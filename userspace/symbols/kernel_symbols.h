// Functions of the kernel and its modules by address, from /proc/kallsyms.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace nz::symbols {

class KernelSymbols {
 public:
  struct Symbol {
    std::string name;
    uint64_t begin = 0, end = 0;  ///< `end`: where the next one begins
  };
  explicit KernelSymbols(std::string path = "/proc/kallsyms") : path_(std::move(path)) {}

  /// Reads the file at the first call: 50 to 100 ms. Nothing where the kernel tells no addresses
  /// (kptr_restrict) and before its first function.
  std::optional<Symbol> find(uint64_t address);

 private:
  void load();

  // 100,000 functions: 12 B and their names each, 4 MB in all.
  std::string path_;
  bool loaded_ = false;
  std::vector<uint64_t> addresses_;  // sorted
  std::vector<uint32_t> names_;      // into pool_, in their order
  std::string pool_;                 // NUL-terminated
};

}  // namespace nz::symbols
