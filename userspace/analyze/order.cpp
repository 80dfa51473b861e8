#include "userspace/analyze/order.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "analysis/robust.h"

namespace nz::analyze {

Ordered::Ordered(const CsvSeries& csv) : file_(&csv.series) {
  if (csv.backward.rows == 0) return;
  const auto& at = csv.series.at;
  place_.resize(at.size());
  std::iota(place_.begin(), place_.end(), std::size_t{0});
  std::stable_sort(place_.begin(), place_.end(),
                   [&](std::size_t a, std::size_t b) { return at[a] < at[b]; });
  sorted_.at.reserve(at.size());
  sorted_.value.reserve(at.size());
  for (const std::size_t i : place_) {
    sorted_.at.push_back(at[i]);
    sorted_.value.push_back(csv.series.value[i]);
  }
}

Even even(const analysis::Series& series) {
  Even out;
  out.value = series.value;
  out.point.resize(series.value.size());
  std::iota(out.point.begin(), out.point.end(), std::size_t{0});
  const std::size_t n = series.at.size();
  if (n < 3) return out;
  std::vector<double> steps(n - 1);
  for (std::size_t i = 0; i + 1 < n; i++) steps[i] = series.at[i + 1] - series.at[i];
  const double step = analysis::robust::median(steps);
  const double slots = (series.at.back() - series.at.front()) / std::max(step, 1e-300);
  if (step <= 0 || slots > 2 * static_cast<double>(n)) return out;
  std::size_t fitting = 0;
  for (const double s : steps) {
    const double multiple = s / step;
    if (std::round(multiple) >= 1 && std::fabs(multiple - std::round(multiple)) < 0.1) fitting++;
  }
  if (10 * fitting < 9 * steps.size()) return out;

  out.step = step;
  out.value.clear();
  out.point.clear();
  for (std::size_t i = 0; i < n; i++) {
    // Steps are rounded one by one: a clock that drifts does not add up to a hole.
    const double holes = i == 0 ? 0 : std::round(steps[i - 1] / step) - 1;
    for (double k = 0; k < holes; k++) {
      out.value.push_back(std::numeric_limits<double>::quiet_NaN());
      out.point.push_back(i);
    }
    out.value.push_back(series.value[i]);
    out.point.push_back(i);
  }
  return out;
}

}  // namespace nz::analyze
