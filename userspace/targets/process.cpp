#include "userspace/targets/process.h"

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <set>
#include <sstream>

namespace nz::targets {
namespace {

constexpr std::string_view kDeleted = " (deleted)";

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string read_link(const std::string& path) {
  std::array<char, 4096> buffer{};
  const ssize_t length = readlink(path.c_str(), buffer.data(), buffer.size());
  return length > 0 ? std::string(buffer.data(), static_cast<size_t>(length)) : std::string{};
}

bool strip_deleted(std::string& path) {
  if (!path.ends_with(kDeleted)) return false;
  path.resize(path.size() - kDeleted.size());
  return true;
}

constexpr int kParent = 4;
constexpr int kFlags = 9;
constexpr int kStartTime = 22;
constexpr uint64_t kExiting = 4;  // PF_EXITING, include/linux/sched.h

// A numeric field of /proc/PID/stat, counted after the last ')': a command may contain anything.
uint64_t stat_field(const std::string& stat, int number) {
  const size_t close = stat.rfind(')');
  if (close == std::string::npos) return 0;
  std::istringstream rest(stat.substr(close + 1));
  std::string field;
  for (int i = 3; i <= number; i++) {
    if (!(rest >> field)) return 0;
  }
  uint64_t value = 0;
  std::from_chars(field.data(), field.data() + field.size(), value);
  return value;
}

}  // namespace

std::vector<pid_t> list_processes(const std::string& proc) {
  std::vector<pid_t> pids;
  DIR* dir = opendir(proc.c_str());
  if (dir == nullptr) return pids;
  while (const dirent* entry = readdir(dir)) {  // NOLINT(concurrency-mt-unsafe): own DIR
    pid_t pid = 0;
    const std::string_view name = entry->d_name;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error == std::errc{} && end == name.data() + name.size()) pids.push_back(pid);
  }
  closedir(dir);
  return pids;
}

std::optional<Process> read_process(pid_t pid, const std::string& proc) {
  const std::string base = proc + "/" + std::to_string(pid);
  const std::string stat = read_file(base + "/stat");
  if (stat.empty()) return std::nullopt;
  Process p;
  p.pid = pid;
  p.parent = static_cast<pid_t>(stat_field(stat, kParent));
  p.start_time = stat_field(stat, kStartTime);
  p.comm = read_file(base + "/comm");
  if (!p.comm.empty() && p.comm.back() == '\n') p.comm.pop_back();
  p.exe = read_link(base + "/exe");
  strip_deleted(p.exe);
  p.cmdline = read_file(base + "/cmdline");
  while (!p.cmdline.empty() && p.cmdline.back() == '\0') p.cmdline.pop_back();
  std::replace(p.cmdline.begin(), p.cmdline.end(), '\0', ' ');
  std::istringstream cgroups(read_file(base + "/cgroup"));
  std::string line;
  while (std::getline(cgroups, line)) {  // "hierarchy:controllers:path"
    const size_t second = line.find(':', line.find(':') + 1);
    if (second != std::string::npos) p.cgroups.push_back(line.substr(second + 1));
  }
  return p;
}

bool has_ended(const Process& process, const std::string& proc) {
  const std::string stat = read_file(proc + "/" + std::to_string(process.pid) + "/stat");
  return stat.empty() || stat_field(stat, kStartTime) != process.start_time ||
         (stat_field(stat, kFlags) & kExiting) != 0;
}

std::vector<Mapping> executable_files(pid_t pid, const std::string& proc) {
  std::vector<Mapping> result;
  std::set<std::pair<std::string, uint64_t>> seen;
  std::ifstream maps(proc + "/" + std::to_string(pid) + "/maps");
  std::string line;
  while (std::getline(maps, line)) {
    Mapping m;
    std::array<char, 8> permissions{};
    std::array<char, 32> device{};
    uint64_t offset = 0;
    int path_at = 0;
    // NOLINTNEXTLINE(cert-err34-c): the kernel's own format
    if (std::sscanf(line.c_str(), "%lx-%lx %7s %lx %31s %lu %n", &m.start, &m.end,
                    permissions.data(), &offset, device.data(), &m.inode, &path_at) < 6) {
      continue;
    }
    if (permissions[2] != 'x' || m.inode == 0 || path_at == 0) continue;
    m.device = device.data();
    m.path = line.substr(static_cast<size_t>(path_at));
    if (m.path.empty() || m.path[0] != '/') continue;
    if (!seen.emplace(m.device, m.inode).second) continue;
    m.deleted = strip_deleted(m.path);
    result.push_back(std::move(m));
  }
  return result;
}

std::string openable_path(pid_t pid, const Mapping& mapping) {
  const std::string base = "/proc/" + std::to_string(pid);
  if (mapping.deleted) {
    std::array<char, 64> range{};
    std::snprintf(range.data(), range.size(), "%lx-%lx", mapping.start, mapping.end);
    return base + "/map_files/" + range.data();
  }
  return base + "/root" + mapping.path;
}

std::string openable_executable(pid_t pid) { return "/proc/" + std::to_string(pid) + "/exe"; }

}  // namespace nz::targets
