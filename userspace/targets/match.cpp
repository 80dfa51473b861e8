#include "userspace/targets/match.h"

#include <fnmatch.h>

#include <algorithm>

namespace nz::targets {
namespace {

bool glob(const std::string& pattern, const std::string& text) {
  return fnmatch(pattern.c_str(), text.c_str(), 0) == 0;
}

bool matches_exe(const std::string& pattern, const std::string& exe) {
  if (glob(pattern, exe)) return true;
  return pattern.find('/') == std::string::npos && glob(pattern, exe.substr(exe.rfind('/') + 1));
}

// "/system.slice/a" is a prefix of "/system.slice/a/b", not of "/system.slice/ab".
bool is_cgroup_prefix(const std::string& prefix, const std::string& path) {
  return path.starts_with(prefix) &&
         (path.size() == prefix.size() || prefix.ends_with('/') || path[prefix.size()] == '/');
}

}  // namespace

bool matches(const config::Match& match, const Process& process) {
  if (match.empty() || process.kernel_thread()) return false;
  if (match.pid && *match.pid != process.pid) return false;
  if (!match.comm.empty() && !glob(match.comm, process.comm)) return false;
  if (!match.exe.empty() && !matches_exe(match.exe, process.exe)) return false;
  if (!match.cmdline.empty() && process.cmdline.find(match.cmdline) == std::string::npos &&
      !glob(match.cmdline, process.cmdline)) {
    return false;
  }
  return match.cgroup.empty() ||
         std::any_of(process.cgroups.begin(), process.cgroups.end(), [&](const std::string& path) {
           return is_cgroup_prefix(match.cgroup, path) || glob(match.cgroup, path);
         });
}

}  // namespace nz::targets
