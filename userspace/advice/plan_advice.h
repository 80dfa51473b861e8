// What a plan and its schema advise, in words for an operator.
#pragma once

#include <string>
#include <vector>

#include "userspace/advice/index_advice.h"
#include "userspace/advice/read_only.h"

namespace nz::advice {

struct Explained {
  std::string plan;                 ///< the rows, indented by their depth, one a line
  std::vector<std::string> advice;  ///< the index first, then what the plan itself says
  bool has_missing_index = false;   ///< advice[0] begins with CREATE INDEX
};

/// Whether a row costs more than an index would: a scan, a sort, an index made for one run.
bool is_dear(const PlanRow& row);

/// The rows as a tree.
std::string plan_text(const std::vector<PlanRow>& rows);

/// Indexes are advised only for a plan that has something dear.
Explained explain_plan(const std::vector<PlanRow>& rows, const std::vector<IndexAdvice>& indexes);

}  // namespace nz::advice
