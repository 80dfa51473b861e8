// Open findings over a restart: as JSON, and back.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "analysis/finding_ledger.h"
#include "userspace/base/result.h"

namespace nz::agent {

/// Times are Unix seconds.
struct SavedFindings {
  double seen = 0;  ///< the newest window that was judged
  /// What was normal: while a finding lasts, nothing newer is. Both 0: nobody knew.
  double reference_from = 0, reference_to = 0;
  std::vector<analysis::FindingLedger::Open> open;
};

std::string save_findings(const SavedFindings& findings);

/// Error: it is not what save_findings() of this version wrote.
Result<SavedFindings> restore_findings(std::string_view saved);

}  // namespace nz::agent
