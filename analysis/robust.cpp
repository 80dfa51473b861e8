#include "analysis/robust.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace nz::analysis::robust {
namespace {

double wallace(double freedom) { return (8 * freedom + 1) / (8 * freedom + 3); }

}  // namespace

double kth(std::vector<double>& values, std::size_t k) {
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(k);
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

double median(std::vector<double> values) {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  const std::size_t half = values.size() / 2;
  const double upper = kth(values, half);
  if (values.size() % 2 == 1) return upper;
  // What nth_element left below is not greater; the greatest of it is the lower middle.
  const double lower =
      *std::max_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(half));
  return lower + (upper - lower) / 2;
}

double quantile(std::vector<double> values, double q) {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  const double rank = std::clamp(q, 0.0, 1.0) * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(rank);
  const double lower = kth(values, below);
  if (below + 1 == values.size()) return lower;
  const double upper =
      *std::min_element(values.begin() + static_cast<std::ptrdiff_t>(below) + 1, values.end());
  return lower + (rank - static_cast<double>(below)) * (upper - lower);
}

double sigma(std::vector<double> values, double center) {
  for (double& value : values) value = std::fabs(value - center);
  return kMadToSigma * median(std::move(values));
}

double two_sided_p(double z) { return std::erfc(std::fabs(z) / std::sqrt(2.0)); }

double normal_of_t(double t, double freedom) {
  const double z = wallace(freedom) * std::sqrt(freedom * std::log1p(t * t / freedom));
  return t < 0 ? -z : z;
}

double t_of_normal(double z, double freedom) {
  const double scaled = z / wallace(freedom);
  const double t = std::sqrt(freedom * std::expm1(scaled * scaled / freedom));
  return z < 0 ? -t : t;
}

}  // namespace nz::analysis::robust
