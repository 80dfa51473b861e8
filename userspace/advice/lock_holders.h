// Who holds which of a database's locks, from /proc/locks: SQLite's are POSIX locks on known bytes.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/advice/database_file.h"

namespace nz::advice {

/// A line of /proc/locks about a POSIX lock on a file.
struct FileLock {
  bool write = false, waits = false;
  pid_t pid = 0;
  FileId file;
  uint64_t first = 0, last = 0;  ///< bytes, inclusive
};
/// Lines of other kinds, and those that are not understood, are left out.
std::vector<FileLock> parse_locks(std::string_view text);
std::vector<FileLock> all_locks(const std::string& proc_locks = "/proc/locks");

enum class DatabaseLock {
  write,       ///< WAL: the one writer; rollback journal: RESERVED, PENDING or EXCLUSIVE
  checkpoint,  ///< WAL: the one checkpointer
  recover,     ///< WAL: rebuilding the index
  read,        ///< WAL: a read mark; rollback journal: SHARED, which a commit waits for
};
const char* name_of(DatabaseLock lock);

struct LockHolder {
  pid_t pid = 0;
  std::string comm;
  DatabaseLock lock = DatabaseLock::read;
  int mark = -1;  ///< WAL, read: which of the five
  /// While it stays the same, so does the transaction: what it wrote or saw of the database.
  uint64_t version = 0;
  bool pins_wal = false;  ///< read: a checkpoint may not pass it, and frames are behind it
  /// write: of the whole file. With PRAGMA locking_mode=EXCLUSIVE it stays from one transaction to
  /// the next, and nobody can tell from outside whether there is one.
  bool whole_file = false;
};

/// Of `database`, each process once for each lock, in the order of /proc/locks. Two connections of
/// one process are one holder here, as they are for the kernel.
std::vector<LockHolder> lock_holders(const OpenDatabase& database,
                                     const std::vector<FileLock>& locks);

}  // namespace nz::advice
