// What /proc tells about a process.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "userspace/base/result.h"

namespace nz::targets {

struct Process {
  pid_t pid = 0;
  pid_t parent = 0;
  uint64_t start_time = 0;  ///< clock ticks after boot: with the pid, an identity
  std::string comm;
  std::string exe;                   ///< as the process sees it, without " (deleted)"
  std::string cmdline;               ///< arguments joined by blanks
  std::vector<std::string> cgroups;  ///< paths of all hierarchies

  [[nodiscard]] bool kernel_thread() const { return exe.empty(); }
};

/// A file mapped executable.
struct Mapping {
  uint64_t start = 0, end = 0;
  uint64_t inode = 0;
  std::string device;  ///< "fe:00", as in /proc/PID/maps
  std::string path;    ///< as the process sees it
  bool deleted = false;
};

/// The processes of this moment; those that vanish while reading are left out.
std::vector<pid_t> list_processes(const std::string& proc = "/proc");
std::optional<Process> read_process(pid_t pid, const std::string& proc = "/proc");
/// Whether it has ended or is about to (its main thread has begun to exit), or its pid is another's
/// now.
bool has_ended(const Process& process, const std::string& proc = "/proc");
/// Executable file mappings, each file once. Empty when the process is gone.
std::vector<Mapping> executable_files(pid_t pid, const std::string& proc = "/proc");

/// A path under which *we* can open what the process maps: through its root for containers, through
/// map_files when the file was replaced or deleted.
std::string openable_path(pid_t pid, const Mapping& mapping);
/// The same for its executable.
std::string openable_executable(pid_t pid);

}  // namespace nz::targets
