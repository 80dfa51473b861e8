#include "analysis/duty.h"

#include <algorithm>

namespace nz::analysis {

void Duty::observe(double cost, double observed) {
  if (observed <= 0) return;
  const double share = std::max(0.0, cost) / observed;
  // Up at once, down by halves: a quiet window does not open the gates for the next burst.
  full_share_ = std::max(share, (full_share_ + share) / 2);
}

double Duty::ratio(double budget) const {
  if (full_share_ <= 0) return 1;
  const double part = std::clamp(budget / full_share_, 0.0, 1.0);
  const double ratio = part * part;
  return ratio >= kWhole ? 1 : std::max(ratio, kLeast);
}

}  // namespace nz::analysis
