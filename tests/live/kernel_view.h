// What the kernel itself says about an agent and its targets: which BPF objects a process holds,
// and whether a process' text is what stands in its file.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

namespace nz::live {

/// Numbers of BPF objects; the kernel does not give a number away again soon.
struct BpfObjects {
  std::set<uint64_t> programs, maps, links;

  [[nodiscard]] bool empty() const { return programs.empty() && maps.empty() && links.empty(); }
  [[nodiscard]] std::string text() const {
    return std::to_string(programs.size()) + " programs, " + std::to_string(maps.size()) +
           " maps, " + std::to_string(links.size()) + " links";
  }
};

/// What process `pid` holds descriptors of.
inline BpfObjects bpf_objects_of(pid_t pid) {
  BpfObjects found;
  std::error_code ignored;
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fdinfo", ignored)) {
    std::ifstream info(entry.path());
    std::string key;
    std::set<std::string> keys;
    uint64_t program = 0;
    uint64_t map = 0;
    uint64_t link = 0;
    while (info >> key) {
      if (key == "prog_id:") info >> program;
      if (key == "map_id:") info >> map;
      if (key == "link_id:") info >> link;
    }
    if (link != 0) {
      found.links.insert(link);
    } else if (program != 0) {
      found.programs.insert(program);
    }
    if (map != 0) found.maps.insert(map);
  }
  return found;
}

inline std::set<uint64_t> bpftool_ids(const std::string& kind) {
  std::set<uint64_t> ids;
  std::string text;
  FILE* pipe = popen(("bpftool -j " + kind + " show 2>/dev/null").c_str(), "r");
  if (pipe == nullptr) return ids;
  char chunk[4096];
  while (const size_t n = fread(chunk, 1, sizeof(chunk), pipe)) text.append(chunk, n);
  pclose(pipe);
  const auto list = nlohmann::json::parse(text, nullptr, false);
  if (!list.is_array()) return ids;
  for (const auto& object : list) {
    if (object.contains("id")) ids.insert(object["id"].get<uint64_t>());
  }
  return ids;
}

/// Those of `objects` that `bpftool prog|map|link show` still lists.
inline BpfObjects still_listed(const BpfObjects& objects) {
  const auto common = [](const std::set<uint64_t>& ours, const std::set<uint64_t>& all) {
    std::set<uint64_t> left;
    for (const uint64_t id : ours) {
      if (all.contains(id)) left.insert(id);
    }
    return left;
  };
  return {common(objects.programs, bpftool_ids("prog")), common(objects.maps, bpftool_ids("map")),
          common(objects.links, bpftool_ids("link"))};
}

/// Bytes of the process' executable mappings of its own executable that differ from the file; -1
/// when they cannot be compared.
inline long changed_text_bytes(pid_t pid) {
  const std::string base = "/proc/" + std::to_string(pid);
  std::error_code error;
  const std::string exe = std::filesystem::read_symlink(base + "/exe", error).string();
  const int memory = open((base + "/mem").c_str(), O_RDONLY | O_CLOEXEC);
  const int file = open(exe.c_str(), O_RDONLY | O_CLOEXEC);
  long changed = error || memory < 0 || file < 0 ? -1 : 0;
  size_t compared = 0;
  std::ifstream maps(base + "/maps");
  std::string line;
  while (changed >= 0 && std::getline(maps, line)) {
    uint64_t start = 0;
    uint64_t end = 0;
    uint64_t offset = 0;
    char permissions[8] = {};
    if (!line.ends_with(exe)) continue;
    if (std::sscanf(line.c_str(), "%lx-%lx %7s %lx", &start, &end, permissions, &offset) != 4 ||
        permissions[2] != 'x')
      continue;
    std::vector<char> in_memory(end - start);
    std::vector<char> in_file(end - start);
    const ssize_t a = pread(memory, in_memory.data(), in_memory.size(), static_cast<off_t>(start));
    const ssize_t b = pread(file, in_file.data(), in_file.size(), static_cast<off_t>(offset));
    for (ssize_t i = 0; i < std::min(a, b); i++)
      changed += in_memory[static_cast<size_t>(i)] != in_file[static_cast<size_t>(i)] ? 1 : 0;
    compared += static_cast<size_t>(std::max<ssize_t>(0, std::min(a, b)));
  }
  if (memory >= 0) close(memory);
  if (file >= 0) close(file);
  return compared == 0 ? -1 : changed;
}

}  // namespace nz::live
