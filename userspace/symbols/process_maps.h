// Which file lies where in a process' memory, from /proc/PID/maps: read once and kept, because a
// sampled process may have ended before its addresses are looked at.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace nz::symbols {

/// A file by its identity: containers and versions, the file counts and not its name.
struct FileId {
  uint32_t major = 0, minor = 0;
  uint64_t inode = 0;

  auto operator<=>(const FileId&) const = default;
};

/// An executable mapping.
struct Region {
  uint64_t start = 0, end = 0;
  uint64_t offset = 0;  ///< in the file, of `start`
  FileId file;
  std::string path;  ///< openable by us while the process lives; empty: no file
  std::string
      seen_by_process;  ///< its path, which may be another file's in our own mount namespace
  std::string name;     ///< shown: last component, "[vdso]"; empty: anonymous memory

  [[nodiscard]] uint64_t in_file(uint64_t address) const { return address - start + offset; }
};

/// Parses the text of a maps file; `proc`: the folder "/proc/PID" that paths are opened below.
std::vector<Region> parse_maps(const std::string& text, const std::string& proc);

class ProcessMaps {
 public:
  /// The region around `address`. Where none is known the file is read (again); `may_read` false
  /// says that it must not be, and becomes false when it was.
  const Region* find(pid_t pid, uint64_t address, bool& may_read);
  const Region* find(pid_t pid, uint64_t address) {
    bool may_read = true;
    return find(pid, address, may_read);
  }
  /// Reads the file now.
  void read(pid_t pid);
  void forget(pid_t pid) { regions_.erase(pid); }
  [[nodiscard]] bool knows(pid_t pid) const { return regions_.contains(pid); }
  [[nodiscard]] size_t processes() const { return regions_.size(); }

 private:
  std::map<pid_t, std::vector<Region>> regions_;
};

}  // namespace nz::symbols
