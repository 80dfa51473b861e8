// Who was seen with a lock of a target's SQLite database.
#pragma once

#include <string>
#include <vector>

#include "analysis/bottlenecks/candidate.h"

namespace nz::analysis {

struct LockHolder {
  std::string comm;    ///< name of the process
  double looks = 0;    ///< in how many of the window's looks it had the lock
  double seconds = 0;  ///< for how long it has had it at the window's end, in one transaction
  std::vector<Evidence> evidence;
};

/// At most three, whoever was seen with it in most looks first, then whoever has it longest. Of the
/// read lock whoever has it longest, and those alone that have it at the window's end, if there are
/// any. `database` empty: of any. The target's own threads are among them.
std::vector<LockHolder> lock_holders(const Context& context, const OrderPath& path,
                                     const std::string& lock, const std::string& database = {});
/// "a, b and c".
std::string names_of(const std::vector<LockHolder>& holders);
void add_evidence(std::vector<LockHolder>& holders, Finding& finding);

}  // namespace nz::analysis
