#include "userspace/fleet/outliers.h"

#include <algorithm>
#include <cmath>

namespace nz::fleet {

double median_of(std::vector<double> values) {
  std::erase_if(values, [](double v) { return !std::isfinite(v); });
  if (values.empty()) return NAN;
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

Comparison compare_hosts(const std::vector<double>& values, const OutlierOptions& options) {
  Comparison result;
  result.median = median_of(values);
  std::vector<double> places;
  for (const double v : values) places.push_back(!options.log ? v : v > 0 ? std::log(v) : NAN);
  const auto known = static_cast<std::size_t>(
      std::count_if(places.begin(), places.end(), [](double v) { return std::isfinite(v); }));
  result.enough = known >= kLeastHosts;
  if (!result.enough) return result;
  const double middle = median_of(places);
  std::vector<double> distances;
  for (const double v : places) distances.push_back(std::fabs(v - middle));
  constexpr double kNormal = 1.4826;
  const double spread = std::max(kNormal * median_of(distances), options.least_spread);
  if (!(spread > 0)) return result;
  for (std::size_t i = 0; i < places.size(); i++) {
    const double z = (places[i] - middle) / spread;
    if (std::isfinite(z) && std::fabs(z) >= options.z) result.outliers.push_back({i, z});
  }
  std::stable_sort(
      result.outliers.begin(), result.outliers.end(),
      [](const Outlier& a, const Outlier& b) { return std::fabs(a.z) > std::fabs(b.z); });
  return result;
}

}  // namespace nz::fleet
