// Who was seen with a lock of a target's SQLite database.
#pragma once

#include <optional>
#include <string>

#include "analysis/bottlenecks/candidate.h"

namespace nz::analysis {

struct LockHolder {
  std::string comm;    ///< name of the process
  double seconds = 0;  ///< for how long it has been seen with it in one transaction
  Evidence evidence;
};

/// The one that has held it longest of those that have it now. `database` empty: of any. The
/// target's own threads are among them.
std::optional<LockHolder> lock_holder(const Context& context, const OrderPath& path,
                                      const std::string& lock, const std::string& database = {});

}  // namespace nz::analysis
