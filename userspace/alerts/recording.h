// Recorded history as JSON lines, one moment a line, in order of time (docs/alerts.md):
//
//   {"at": 1764255600, "families": {"nearzero_off": [{"value": 0}], ...}, "findings": [...],
//    "regressions": [...], "incidents": [...], "baselines": [...]}
//
// `families` is what the agent answers at /live.json: cumulative values and histograms. All but
// `at` may be missing; findings, regressions, incidents and baselines hold until a line names
// others.
#pragma once

#include <istream>
#include <optional>
#include <string>
#include <vector>

#include "analysis/finding.h"
#include "analysis/regression.h"
#include "userspace/alerts/facts.h"
#include "userspace/base/result.h"
#include "userspace/metrics/family.h"

namespace nz::alerts {

struct RecordedBaseline {
  analysis::Quantity of;
  std::string name;
  BaselineValue value;
};

struct Moment {
  double at = 0;  ///< Unix seconds
  std::optional<std::vector<metrics::Family>> families;
  std::optional<std::vector<analysis::Finding>> findings;
  std::optional<std::vector<analysis::Regression>> regressions;
  std::optional<std::vector<analysis::Incident>> incidents;
  std::optional<std::vector<RecordedBaseline>> baselines;
};

/// Reads a recording line by line; a line is at most 64 MB.
class Recording {
 public:
  Recording(std::istream& in, std::string name) : in_(in), name_(std::move(name)) {}

  /// The next moment; nothing at the end. Errors name FILE:LINE and what is wrong; reading can go
  /// on behind it.
  Result<std::optional<Moment>> next();
  [[nodiscard]] std::size_t line() const { return line_; }

 private:
  std::istream& in_;
  std::string name_;
  std::size_t line_ = 0;
};

}  // namespace nz::alerts
