// Who on this host uses SQLite, how it is linked, and whether it can be observed.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

namespace nz::inspect {

struct SqliteUser {
  pid_t pid = 0;
  std::string comm;
  std::string linkage;  ///< "shared" (libsqlite3), "static" (the executable), "bundled" (a library)
  std::string file;     ///< that contains SQLite, as the process sees it
  std::string version;  ///< "3.40.1"; empty when it could not be told
  std::vector<std::string> plans;      ///< "step", "boundary"; empty: it cannot be observed
  std::vector<std::string> missing;    ///< what cannot be probed, and why
  std::vector<std::string> databases;  ///< files that are open now
};

/// Looks at every process (those that may not be read are left out and counted in *unreadable).
/// A file contains SQLite when it holds the header of its database format, "SQLite format 3".
/// `progress` is called with (done, all) processes.
std::vector<SqliteUser> sqlite_users(
    size_t* unreadable = nullptr,
    const std::function<void(size_t, size_t)>& progress = [](size_t, size_t) {});

}  // namespace nz::inspect
