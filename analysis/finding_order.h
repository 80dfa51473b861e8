// The order in which findings are told.
#pragma once

#include <tuple>

#include "analysis/finding.h"

namespace nz::analysis {

/// Costs the order path more; of equals the more severe, then the surer, then by name.
inline bool costlier(const Finding& a, const Finding& b) {
  return std::tuple(-a.impact, -static_cast<int>(a.severity), -a.confidence, a.id) <
         std::tuple(-b.impact, -static_cast<int>(b.severity), -b.confidence, b.id);
}

}  // namespace nz::analysis
