// What must not teach a baseline: stretches of time in which something was wrong.
#pragma once

#include <span>
#include <vector>

#include "analysis/finding.h"
#include "analysis/regression.h"

namespace nz::analysis {

struct TimeRange {
  double from = 0, to = 0;  ///< Unix seconds; `to` infinite while it lasts
};

bool overlaps(std::span<const TimeRange> ranges, double from, double to);

/// Of one series: its own regressions, incidents that it is part of, and findings of at least
/// warning that its target (or the host) suffers from. Each holds for `adopt_seconds` at most: what
/// lasts longer is the new normal.
std::vector<TimeRange> held_out(const std::string& name, const Labels& labels,
                                std::span<const Regression> regressions,
                                std::span<const Incident> incidents,
                                std::span<const Finding> findings,
                                double adopt_seconds = 14 * 86400.0);

}  // namespace nz::analysis
