// Which index a statement lacks, tried out: SQLite's own planner is asked for the constraints that
// it would use, and then, in a copy of the schema that has the candidates, whether it takes one.
#pragma once

#include <string>
#include <vector>

#include "userspace/advice/read_only.h"
#include "userspace/base/result.h"

namespace nz::advice {

struct IndexAdvice {
  std::string statement;  ///< CREATE INDEX risk_limits_account ON risk_limits(account)
  std::string plan;  ///< the plan's row with it: SEARCH risk_limits USING INDEX ... (account=?)
};

/// The indexes that `sql` would use if they were there: equality columns first, then a range or the
/// order. None where what is there suffices. `schema` as ReadOnly::schema() gives it; nothing but
/// an empty copy in memory is touched. Error: the schema or the statement does not compile in the
/// copy (virtual tables of modules that are not here, functions of the program's own).
Result<std::vector<IndexAdvice>> missing_indexes(const std::vector<std::string>& schema,
                                                 const std::string& sql);

}  // namespace nz::advice
