// Finds what limits the services: every rule on every target, weighed against each other and ranked
// by what it costs the order path. docs/bottlenecks.md has every kind and the model of impact.
#pragma once

#include <vector>

#include "analysis/bottlenecks/rules.h"
#include "analysis/finding.h"

namespace nz::analysis {

/// The findings of `now`, most costly first; `state` and `since` are left to the FindingLedger.
/// `reference`: a healthy window of the recent past, of any length; may be empty, then only waits
/// that dominate and limits that are reached are told. Needs some 15 series lookups a rule: a
/// window of 10,000 series and 15 targets takes a few milliseconds.
std::vector<Finding> find_bottlenecks(const Window& now, const Window& reference,
                                      const Details& details, const Rules& rules);

/// Every kind that a rule can report, sorted.
std::vector<std::string> bottleneck_kinds();

}  // namespace nz::analysis
