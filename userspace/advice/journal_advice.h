// What the waits of one statement and the state of its database's journal advise: settings, not
// indexes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "userspace/advice/database_file.h"

namespace nz::advice {

/// Seconds of one statement, as the kernel timed them on its thread.
struct StatementWaits {
  double inside = 0;      ///< all of it, in SQLite
  double sync = 0;        ///< waiting for the disk to have it (fsync), those of a checkpoint too
  double checkpoint = 0;  ///< moving pages from the WAL to the database, with its syncs
  double busy = 0;        ///< waiting for somebody else's lock
  bool reads = false;     ///< it is a SELECT
};

/// What the files say, read without a lock.
struct JournalState {
  std::string database;  ///< as the process sees it
  bool wal_mode = false;
  uint32_t page_size = 0;
  std::optional<WalState> wal;
  std::string pinned_by;  ///< who reads an old state of the WAL, "report (pid 12)"; empty: nobody
};
/// Without `pinned_by`, which locks tell. Error: as header_of().
Result<JournalState> journal_state_of(const OpenDatabase& database);

/// Each advice is one line that begins with what to set and says what it rests on and what it
/// costs; none where less than half of the statement, or less than a millisecond, is such a wait.
std::vector<std::string> journal_advice(const StatementWaits& waits, const JournalState& journal);

}  // namespace nz::advice
