#include "userspace/advice/plan_advice.h"

#include <algorithm>
#include <map>

namespace nz::advice {
namespace {

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// The table of "SCAN t", "SCAN t AS x USING COVERING INDEX ...".
std::string table_of(const std::string& detail) {
  const size_t begin = detail.find(' ');
  if (begin == std::string::npos) return {};
  return detail.substr(begin + 1, detail.find(' ', begin + 1) - begin - 1);
}

bool is_scan(const PlanRow& row) {
  return row.detail.starts_with("SCAN ") && !row.detail.starts_with("SCAN CONSTANT") &&
         !has(row.detail, "VIRTUAL TABLE");
}

}  // namespace

bool is_dear(const PlanRow& row) {
  return is_scan(row) || has(row.detail, "USE TEMP B-TREE") || has(row.detail, "AUTOMATIC");
}

std::string plan_text(const std::vector<PlanRow>& rows) {
  std::string out;
  std::map<int, int> depth;
  for (const PlanRow& row : rows) {
    const auto parent = depth.find(row.parent);
    const int level = parent == depth.end() ? 0 : parent->second + 1;
    depth[row.id] = level;
    if (!out.empty()) out += '\n';
    out += std::string(static_cast<size_t>(std::min(level, 20)) * 2, ' ') + row.detail;
  }
  return out;
}

Explained explain_plan(const std::vector<PlanRow>& rows, const std::vector<IndexAdvice>& indexes) {
  Explained result;
  result.plan = plan_text(rows);
  const bool dear = std::any_of(rows.begin(), rows.end(), is_dear);
  if (dear) {
    for (const IndexAdvice& index : indexes) {
      result.advice.push_back(index.statement + " -- then: " + index.plan);
      result.has_missing_index = true;
    }
  }
  const auto say = [&](std::string text) {
    if (std::find(result.advice.begin(), result.advice.end(), text) == result.advice.end())
      result.advice.push_back(std::move(text));
  };
  for (const PlanRow& row : rows) {
    if (is_scan(row)) {
      say("full scan of " + table_of(row.detail) +
          (has(row.detail, " USING ") ? ", of its index" : "") + ": each of its rows is read");
    } else if (has(row.detail, "AUTOMATIC")) {
      say("automatic index: SQLite builds an index for each run of this statement (" + row.detail +
          "); one that stays saves that");
    } else if (has(row.detail, "USE TEMP B-TREE")) {
      say("sorted in a temporary b-tree" + row.detail.substr(row.detail.find("B-TREE") + 6) +
          ": an index in that order would give the first row at once");
    } else if (row.detail.starts_with("CORRELATED")) {
      say("correlated subquery: run once for each row of the outer statement");
    }
  }
  return result;
}

}  // namespace nz::advice
