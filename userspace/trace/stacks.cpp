#include "userspace/trace/stacks.h"

#include <fmt/format.h>

#include "userspace/sites/symbol_match.h"

namespace nz::trace {

std::vector<std::string> Stacks::kernel(std::span<const uint64_t> addresses) {
  std::vector<std::string> names;
  for (const uint64_t address : addresses) {
    const auto symbol = kernel_.find(address);
    names.push_back(symbol ? fmt::format("{}+{:#x}", symbol->name, address - symbol->begin)
                           : fmt::format("{:#x} ?", address));
  }
  return names;
}

// Opened once, while its process lives.
const sites::Binary* Stacks::binary(const symbols::Region& region) {
  if (region.path.empty()) return nullptr;
  const auto [at, fresh] = binaries_.try_emplace(region.file);
  if (fresh) {
    if (auto opened = sites::Binary::open(region.path))
      at->second.emplace(std::move(*opened));
    else
      binaries_.erase(at);  // another process of the same file may still be there
  }
  const auto found = binaries_.find(region.file);
  return found != binaries_.end() && found->second ? &*found->second : nullptr;
}

std::vector<std::string> Stacks::user(pid_t pid, std::span<const uint64_t> addresses) {
  std::vector<std::string> names;
  for (const uint64_t address : addresses) {
    const symbols::Region* region = maps_.find(pid, address);
    if (region == nullptr) {
      names.push_back(fmt::format("{:#x} ?", address));
      continue;
    }
    const sites::Binary* file = binary(*region);
    const uint64_t offset = region->in_file(address);
    const auto virtual_address = file != nullptr ? file->address_of_offset(offset) : std::nullopt;
    const auto symbol = virtual_address ? file->function_around(*virtual_address) : std::nullopt;
    if (!symbol) {
      names.push_back(
          fmt::format("{}+{:#x}", region->name.empty() ? "[anonymous]" : region->name, offset));
      continue;
    }
    const std::string name = symbol->name.starts_with("_Z")
                                 ? sites::without_parameters(sites::demangle(symbol->name))
                                 : symbol->name;
    names.push_back(
        fmt::format("{}+{:#x} ({})", name, *virtual_address - symbol->address, region->name));
  }
  return names;
}

}  // namespace nz::trace
