#include "userspace/inspect/mapped_by.h"

#include <sys/stat.h>

#include <algorithm>

namespace nz::inspect {

std::vector<targets::Process> mapped_by(const sites::Binary& binary) {
  std::vector<targets::Process> found;
  std::vector<pid_t> pids = targets::list_processes();
  std::sort(pids.begin(), pids.end());
  for (const pid_t pid : pids) {
    for (const targets::Mapping& m : targets::executable_files(pid)) {
      if (m.inode != binary.inode()) continue;
      // The device in maps is not that of stat on overlayfs and btrfs: ask for both in one way.
      struct stat info {};
      if (stat(targets::openable_path(pid, m).c_str(), &info) != 0 ||
          info.st_ino != binary.inode() || info.st_dev != binary.device())
        continue;
      if (auto process = targets::read_process(pid)) found.push_back(std::move(*process));
      break;
    }
  }
  return found;
}

}  // namespace nz::inspect
