// Metric families of the SQLite probe, and the texts of statements.
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "probes/probe.h"
#include "probes/sqlite/choose_plan.h"
#include "probes/sqlite/statement_texts.h"

namespace nz::probes {

/// Families by digest: time inside, time open, counts, rows, errors. Texts that the kernel keeps
/// apart and that have one digest are one sample.
void collect_statements(const Env& env, const StatementTexts& texts,
                        std::vector<metrics::Family>& out);

/// Families of one target each: waits, compile time, result codes, connections, completeness.
void collect_targets(const Env& env, const std::map<uint32_t, nz_sqlite_stats>& stats,
                     const std::map<uint32_t, uint64_t>& open_connections,
                     std::vector<metrics::Family>& out);

/// Family of the plans in use, by slot: during a change of plan a target may have both.
void collect_plans(const Env& env, const std::set<std::pair<uint32_t, SqlitePlan>>& plans,
                   std::vector<metrics::Family>& out);

/// Steps of the step plan, without those inside other steps and SQLite's own.
inline uint64_t counted_steps(const nz_sqlite_stats& s) {
  const uint64_t others = s.nested + s.steps_not_counted;
  return s.hits[NZ_SQL_STEP] - std::min(s.hits[NZ_SQL_STEP], others);
}

/// "SQLITE_BUSY" for a primary result code.
std::string result_code_name(uint32_t code);

}  // namespace nz::probes
