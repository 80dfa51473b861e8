// Metric families of the SQLite probe, and the texts of statements.
#pragma once

#include <algorithm>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "probes/probe.h"

namespace nz::probes {

/// Statement id -> its text, learnt from the kernel's events.
class StatementTexts {
 public:
  void learn(const nz_event& event, std::span<const std::byte> bytes);

  struct Known {
    uint32_t slot = 0;
    std::string text;  ///< normalised and cut: literals in '' and numbers are never kept
  };
  [[nodiscard]] const std::map<uint32_t, Known>& known() const { return known_; }

 private:
  std::map<uint32_t, Known> known_;
};

/// Families by statement: time inside, time open, counts, rows, errors.
void collect_statements(const Env& env, const StatementTexts& texts,
                        std::vector<metrics::Family>& out);

/// Families of one target each: waits, compile time, result codes, connections, completeness.
void collect_targets(const Env& env, const std::map<uint32_t, nz_sqlite_stats>& stats,
                     const std::map<uint32_t, uint64_t>& open_connections,
                     std::vector<metrics::Family>& out);

/// Steps of the step plan, without those inside other steps and SQLite's own.
inline uint64_t counted_steps(const nz_sqlite_stats& s) {
  const uint64_t others = s.nested + s.steps_not_counted;
  return s.hits[NZ_SQL_STEP] - std::min(s.hits[NZ_SQL_STEP], others);
}

/// "SQLITE_BUSY" for a primary result code.
std::string result_code_name(uint32_t code);

}  // namespace nz::probes
