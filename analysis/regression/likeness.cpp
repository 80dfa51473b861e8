#include "analysis/regression/likeness.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace nz::analysis {

Likeness::Cells Likeness::cells_of(const Histogram& h) {
  Cells cells{};
  cells[0] = static_cast<double>(h.zero);
  for (std::size_t i = 0; i < NZ_BUCKETS; i++)
    cells[1 + i / kPooled] += static_cast<double>(h.buckets[i]);
  cells[kCells - 1] = static_cast<double>(h.overflow);
  return cells;
}

Likeness::Likeness(const Histogram& first, const Histogram& second) {
  constexpr double kSmoothing = 0.5, kMost = 3;
  const Cells a = cells_of(first), b = cells_of(second);
  double used = 0;
  for (std::size_t i = 0; i < kCells; i++) used += a[i] + b[i] > 0 ? 1 : 0;
  const double a_all = std::accumulate(a.begin(), a.end(), kSmoothing * used);
  const double b_all = std::accumulate(b.begin(), b.end(), kSmoothing * used);
  for (std::size_t i = 0; i < kCells; i++) {
    if (a[i] + b[i] == 0) continue;  // values that neither had speak for neither
    const double ratio =
        std::log((b[i] + kSmoothing) / b_all) - std::log((a[i] + kSmoothing) / a_all);
    weight_[i] = std::clamp(ratio, -kMost, kMost);
  }
}

double Likeness::of(const Histogram& histogram) const {
  const Cells cells = cells_of(histogram);
  const double all = std::accumulate(cells.begin(), cells.end(), 0.0);
  if (all == 0) return std::numeric_limits<double>::quiet_NaN();
  return std::inner_product(cells.begin(), cells.end(), weight_.begin(), 0.0) / all;
}

}  // namespace nz::analysis
