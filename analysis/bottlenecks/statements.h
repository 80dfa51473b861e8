// SQLite statements of a target by digest, per order, in both windows.
#pragma once

#include <string>
#include <vector>

#include "analysis/bottlenecks/candidate.h"

namespace nz::analysis {

struct Statement {
  std::string digest, text;
  double count = 0;                        ///< in the window, as observed
  double now = 0, before = 0;              ///< seconds inside SQLite per order
  double mean_now = 0, mean_before = 0;    ///< seconds inside SQLite of one
  double times_now = 0, times_before = 0;  ///< per order
  double rows = 0;                         ///< per statement; 0: unknown

  [[nodiscard]] double excess() const { return now > before ? now - before : 0; }
  [[nodiscard]] bool reads() const;
};

/// Those with a digest of their own, most excess first.
std::vector<Statement> statements(const Context& context, const OrderPath& path);

}  // namespace nz::analysis
