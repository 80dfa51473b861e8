// Finds SQLite in a process: which file, which functions, where they may be probed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "userspace/config/config.h"
#include "userspace/sites/kernel.h"
#include "userspace/sites/return_site.h"
#include "userspace/sites/sqlite_offsets.h"
#include "userspace/targets/process.h"

namespace nz::probes {

/// A place to attach one program.
struct SqliteSite {
  std::string function;
  uint64_t offset = 0;
  bool stepped = false;
};

/// SQLite in one file, as far as this build can be probed. Empty sites: see `missing`.
struct SqliteBinary {
  std::string path;   ///< as we open it
  std::string shown;  ///< as the process sees it
  dev_t device = 0;
  ino_t inode = 0;
  bool mapped = false;  ///< the process has it in memory (else: it will, if it loads it at all)
  sites::SqliteOffsets offsets;
  std::optional<uint32_t> in_trans;  ///< Btree.inTrans, one byte: 0 while it is in no transaction
  std::optional<SqliteSite> step, begin, halt, compile;
  std::vector<SqliteSite> busy, sync, checkpoint, open, close;
  std::vector<std::string> missing;  ///< function: why it is not probed

  [[nodiscard]] bool can_step() const {
    return step.has_value() && offsets.vdbe_state.value.has_value();
  }
  [[nodiscard]] bool can_boundary() const {
    return begin.has_value() && halt.has_value() && offsets.vdbe_state.value.has_value();
  }
};

/// Looks for SQLite: `library` if given (path or file name), else a mapped libsqlite3, else the
/// executable itself, else any mapped library that has sqlite3_step, else the system's libsqlite3,
/// which the process may load later. Error: none of them, or all stripped.
Result<SqliteBinary> locate_sqlite(pid_t pid, const std::string& library,
                                   const sites::KernelTraits& kernel);

/// What every SQLite database begins with, 16 bytes with the NUL.
std::string sqlite_magic();

/// Open files of the process that begin like a SQLite database, as it sees them: one per connection
/// that was open before we came.
std::vector<std::string> open_databases(pid_t pid);

}  // namespace nz::probes
