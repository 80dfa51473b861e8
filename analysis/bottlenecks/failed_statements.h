// SQLite statements of a target that ended with one result code.
#pragma once

#include <string>
#include <vector>

#include "analysis/bottlenecks/candidate.h"
#include "analysis/bottlenecks/databases.h"

namespace nz::analysis {

struct ResultCode {
  const char* name;  ///< label `code`: SQLITE_IOERR
  int number;        ///< the primary code, sqlite3.h
};

struct FailedDigest {
  std::string digest, text;
  std::string stage;  ///< one in which it begins; empty: none is known
  /// In the window, with whatever code: by digest only errors are counted.
  double errors = 0;
};

struct FailedStatements {
  double count = 0;  ///< with this code in the window, as observed
  /// At most so many of them, and of those before, were of digests that begin in a stage: `count`,
  /// or the errors of these digests where those are fewer.
  double of_orders = 0, of_orders_before = 0;
  /// Those with errors in the window that have ended with this code since they were seen first:
  /// in a stage first, then most errors first.
  std::vector<FailedDigest> digests;
  /// Of a slow statement that failed so, else the only one that the target has; empty: not known.
  std::string database;
};

FailedStatements failed_statements(const Context& context, const OrderPath& path,
                                   const ResultCode& code, const std::vector<Database>& databases);

}  // namespace nz::analysis
