#include "userspace/symbols/process_maps.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <sstream>

namespace nz::symbols {

std::vector<Region> parse_maps(const std::string& text, const std::string& proc) {
  std::vector<Region> regions;
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) {
    Region r;
    std::array<char, 8> permissions{};
    int path_at = 0;
    // NOLINTNEXTLINE(cert-err34-c): the kernel's own format
    if (std::sscanf(line.c_str(), "%lx-%lx %7s %lx %x:%x %lu %n", &r.start, &r.end,
                    permissions.data(), &r.offset, &r.file.major, &r.file.minor, &r.file.inode,
                    &path_at) < 7 ||
        permissions[2] != 'x')
      continue;
    const std::string path = path_at > 0 ? line.substr(static_cast<size_t>(path_at)) : "";
    r.name = path.substr(path.rfind('/') + 1);
    if (path.starts_with('/')) {
      r.seen_by_process = path;
      r.path = path.ends_with(" (deleted)")
                   ? fmt::format("{}/map_files/{:x}-{:x}", proc, r.start, r.end)
                   : proc + "/root" + path;
    }
    regions.push_back(std::move(r));
  }
  return regions;
}

const Region* ProcessMaps::find(pid_t pid, uint64_t address, bool& may_read) {
  const auto among = [address](const std::vector<Region>& regions) -> const Region* {
    const auto found = std::find_if(regions.begin(), regions.end(), [address](const Region& r) {
      return address >= r.start && address < r.end;
    });
    return found != regions.end() ? &*found : nullptr;
  };
  const auto known = regions_.find(pid);
  if (known != regions_.end()) {
    if (const Region* region = among(known->second)) return region;
  }
  if (!may_read) return nullptr;
  may_read = false;
  read(pid);
  const auto read_now = regions_.find(pid);
  return read_now != regions_.end() ? among(read_now->second) : nullptr;
}

void ProcessMaps::read(pid_t pid) {
  const std::string proc = "/proc/" + std::to_string(pid);
  std::ifstream file(proc + "/maps");
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  // It may have ended since; what was known of it is still true of its last samples.
  if (!text.empty()) regions_[pid] = parse_maps(text, proc);
}

}  // namespace nz::symbols
