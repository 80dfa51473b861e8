#include "userspace/trace/stacks.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>

#include "userspace/sites/symbol_match.h"

namespace nz::trace {
namespace {

std::string base_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

void Stacks::load_kernel() {
  kernel_loaded_ = true;
  std::ifstream file("/proc/kallsyms");
  std::string line;
  while (std::getline(file, line)) {
    uint64_t address = 0;
    char type = 0;
    std::array<char, 256> name{};
    // NOLINTNEXTLINE(cert-err34-c): the kernel's own format
    if (std::sscanf(line.c_str(), "%lx %c %255s", &address, &type, name.data()) != 3) continue;
    if (address == 0 || (type != 't' && type != 'T')) continue;  // 0: kptr_restrict
    kernel_.push_back({address, name.data()});
  }
  std::sort(kernel_.begin(), kernel_.end(),
            [](const auto& a, const auto& b) { return a.address < b.address; });
}

std::vector<std::string> Stacks::kernel(std::span<const uint64_t> addresses) {
  if (!kernel_loaded_) load_kernel();
  std::vector<std::string> names;
  for (const uint64_t address : addresses) {
    const auto after =
        std::upper_bound(kernel_.begin(), kernel_.end(), address,
                         [](uint64_t a, const KernelSymbol& s) { return a < s.address; });
    names.push_back(after == kernel_.begin() ? fmt::format("{:#x} ?", address)
                                             : fmt::format("{}+{:#x}", std::prev(after)->name,
                                                           address - std::prev(after)->address));
  }
  return names;
}

const std::vector<Stacks::Region>& Stacks::regions(pid_t pid, bool again) {
  const auto [at, fresh] = regions_.try_emplace(pid);
  if (!fresh && !again) return at->second;
  at->second.clear();
  const std::string proc = "/proc/" + std::to_string(pid);
  std::ifstream maps(proc + "/maps");
  std::string line;
  while (std::getline(maps, line)) {
    Region r{};
    std::array<char, 8> permissions{};
    int path_at = 0;
    // NOLINTNEXTLINE(cert-err34-c): the kernel's own format
    if (std::sscanf(line.c_str(), "%lx-%lx %7s %lx %*s %*u %n", &r.start, &r.end,
                    permissions.data(), &r.offset, &path_at) < 4 ||
        permissions[2] != 'x' || path_at == 0)
      continue;
    const std::string path = line.substr(static_cast<size_t>(path_at));
    r.file = base_name(path);
    if (path.starts_with('/'))
      r.path = path.ends_with(" (deleted)")
                   ? fmt::format("{}/map_files/{:x}-{:x}", proc, r.start, r.end)
                   : proc + "/root" + path;
    at->second.push_back(std::move(r));
  }
  return at->second;
}

const sites::Binary* Stacks::binary(const std::string& path) {
  // The process may have ended since its last event.
  if (const auto known = by_path_.find(path); known != by_path_.end()) return known->second;
  // Containers and versions: the file counts, not its name.
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return nullptr;
  const std::string key = fmt::format("{}:{}", info.st_dev, info.st_ino);
  const auto [at, fresh] = binaries_.try_emplace(key);
  if (fresh) {
    if (auto opened = sites::Binary::open(path)) at->second.emplace(std::move(*opened));
  }
  const sites::Binary* found = at->second ? &*at->second : nullptr;
  by_path_.emplace(path, found);
  return found;
}

std::vector<std::string> Stacks::user(pid_t pid, std::span<const uint64_t> addresses) {
  std::vector<std::string> names;
  for (const uint64_t address : addresses) {
    const auto find = [&](bool again) -> const Region* {
      for (const Region& r : regions(pid, again)) {
        if (address >= r.start && address < r.end) return &r;
      }
      return nullptr;
    };
    const Region* region = find(false);
    if (region == nullptr) region = find(true);  // mapped meanwhile
    if (region == nullptr) {
      names.push_back(fmt::format("{:#x} ?", address));
      continue;
    }
    const sites::Binary* file = region->path.empty() ? nullptr : binary(region->path);
    const uint64_t offset = address - region->start + region->offset;
    const auto virtual_address = file != nullptr ? file->address_of_offset(offset) : std::nullopt;
    const auto symbol = virtual_address ? file->function_around(*virtual_address) : std::nullopt;
    if (!symbol) {
      names.push_back(
          fmt::format("{}+{:#x}", region->file.empty() ? "[anonymous]" : region->file, offset));
      continue;
    }
    const std::string name = symbol->name.starts_with("_Z")
                                 ? sites::without_parameters(sites::demangle(symbol->name))
                                 : symbol->name;
    names.push_back(
        fmt::format("{}+{:#x} ({})", name, *virtual_address - symbol->address, region->file));
  }
  return names;
}

}  // namespace nz::trace
