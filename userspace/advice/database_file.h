// Which files a database of a process is, and what they say without any lock.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "userspace/base/result.h"

namespace nz::advice {

/// A file by identity: paths differ between mount namespaces, this does not.
struct FileId {
  dev_t device = 0;
  ino_t inode = 0;
  auto operator<=>(const FileId&) const = default;
};

/// A database that a process has open.
struct OpenDatabase {
  std::string shown;  ///< as the process sees it
  std::string path;   ///< as we reach it: the same path, or through /proc/PID/root
  FileId file;
};

/// The SQLite databases among the open files of `pid`, each file once, at most `limit`; those that
/// were deleted are left out, for there is no path to their -wal. Looks at the process' file
/// descriptors alone, and opens only regular files of those.
std::vector<OpenDatabase> databases_of(pid_t pid, std::size_t limit = 16);

/// Sizes in bytes; 0 where there is no such file.
struct DatabaseSizes {
  uint64_t main = 0, wal = 0, shm = 0;
};
DatabaseSizes sizes_of(const std::string& path);

/// Of the headers of the database and its WAL, read without a lock: each a snapshot of its own.
struct DatabaseHeader {
  uint32_t page_size = 0;  ///< bytes
  uint32_t pages = 0;      ///< as of the last checkpoint, in WAL mode
  uint32_t change_counter = 0;
  uint32_t schema_cookie = 0;
  bool wal_mode = false;
};
/// Error: not there, not a database, or encrypted.
Result<DatabaseHeader> header_of(const std::string& path);

/// How far the WAL is ahead of the database (wal.c, "the wal-index file format"): what a checkpoint
/// still has to write.
struct WalState {
  uint32_t change = 0;        ///< grows with each transaction
  uint32_t frames = 0;        ///< valid ones
  uint32_t checkpointed = 0;  ///< of those, in the database already
  uint32_t read_marks[5] = {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff,
                            0xffffffff};  ///< 0xffffffff: not used
  [[nodiscard]] uint32_t lag() const {
    return frames - (checkpointed < frames ? checkpointed : frames);
  }
};
/// From PATH-shm. Nothing where it is not there or not readable as one (also while it is written:
/// its two copies of the header differ then, after three attempts).
std::optional<WalState> wal_state_of(const std::string& path);

}  // namespace nz::advice
