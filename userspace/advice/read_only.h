// A database of somebody else's, opened so that nobody has to wait for it.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "userspace/advice/database_file.h"
#include "userspace/base/result.h"

struct sqlite3;

namespace nz::advice {

/// A row of EXPLAIN QUERY PLAN.
struct PlanRow {
  int id = 0, parent = 0;
  std::string detail;  ///< "SCAN risk_limits", "USE TEMP B-TREE FOR ORDER BY"
};

/// Nothing is ever run or written through it: statements are prepared under EXPLAIN QUERY PLAN.
///
/// WAL mode: opened with mode=ro and readonly_shm=1. Reading the schema takes a shared lock on one
/// read mark for its while, which writers do not wait for, and on WAL_RECOVER nothing. Rollback
/// journals: a shared lock would keep a writer from its commit, so that the file is read without
/// locks (immutable=1), and only while nobody writes: no journal, and the same change counter
/// before and after, or the answer is thrown away.
class ReadOnly {
 public:
  using Clock = std::chrono::steady_clock;

  /// Error: another file stands at this path, it is no database, a transaction is open on it
  /// (rollback journal), or SQLite's own words.
  static Result<std::unique_ptr<ReadOnly>> open(const OpenDatabase& database,
                                                Clock::duration limit);
  ~ReadOnly();
  ReadOnly(const ReadOnly&) = delete;
  ReadOnly& operator=(const ReadOnly&) = delete;

  /// Error: it does not compile here (other schema, a function of the program's own), or took
  /// longer than the limit, or the schema changed meanwhile.
  [[nodiscard]] Result<std::vector<PlanRow>> explain(const std::string& sql);
  /// CREATE statements of tables, views and indexes in the order in which they were made, and the
  /// rows of sqlite_stat1 as INSERT statements: what a copy with the same plans needs.
  [[nodiscard]] Result<std::vector<std::string>> schema();

 private:
  ReadOnly(sqlite3* connection, OpenDatabase database, Clock::duration limit);
  void start_clock() { deadline_ = Clock::now() + limit_; }
  // The file is what it was when it was opened (rollback journal).
  [[nodiscard]] Result<void> unchanged() const;

  sqlite3* connection_;
  OpenDatabase database_;
  Clock::duration limit_;
  Clock::time_point deadline_;
  DatabaseHeader header_;
};

/// EXPLAIN QUERY PLAN on any connection.
Result<std::vector<PlanRow>> explain_query_plan(sqlite3* connection, const std::string& sql);

}  // namespace nz::advice
