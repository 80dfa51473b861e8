#include "analysis/robust.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace nz::analysis::robust {
namespace {

// Mean of min(z^2, 3^2) for standard normal z: makes the clipped variance consistent.
constexpr double kClip = 3.0;
constexpr double kClippedVariance = 0.99498;

double wallace(double freedom) { return (8 * freedom + 1) / (8 * freedom + 3); }

// A window over a series that keeps its values sorted.
class SortedWindow {
 public:
  explicit SortedWindow(std::size_t capacity) { sorted_.reserve(capacity + 1); }
  void add(double v) { sorted_.insert(std::upper_bound(sorted_.begin(), sorted_.end(), v), v); }
  void remove(double v) { sorted_.erase(std::lower_bound(sorted_.begin(), sorted_.end(), v)); }
  [[nodiscard]] double median() const { return sorted_[sorted_.size() / 2]; }

 private:
  std::vector<double> sorted_;
};

}  // namespace

double kth(std::span<double> values, std::size_t k) {
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(k);
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

double median_in_place(std::span<double> values) {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  const std::size_t half = values.size() / 2;
  const double upper = kth(values, half);
  if (values.size() % 2 == 1) return upper;
  // What nth_element left below is not greater; the greatest of it is the lower middle.
  const double lower =
      *std::max_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(half));
  return lower + (upper - lower) / 2;
}

double median(std::vector<double> values) { return median_in_place(values); }

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
  return kMadToSigma * median_in_place(values);
}

double sigma_about_zero(std::span<double> values) {
  if (values.empty()) return 0;
  for (double& v : values) v = std::abs(v);
  const double mad = kMadToSigma * median_in_place(values);
  double sum = 0;
  if (mad <= 0) {
    for (const double v : values) sum += v * v;
    return std::sqrt(sum / static_cast<double>(values.size()));
  }
  const double limit = kClip * mad;
  for (const double v : values) sum += std::min(v, limit) * std::min(v, limit);
  return std::sqrt(sum / static_cast<double>(values.size()) / kClippedVariance);
}

double two_sided_p(double z) { return std::erfc(std::fabs(z) / std::sqrt(2.0)); }

double z_of_two_sided_p(double p) {
  double low = 0, high = 40;
  for (int i = 0; i < 60; i++) {
    const double middle = (low + high) / 2;
    (two_sided_p(middle) > p ? low : high) = middle;
  }
  return high;
}

double normal_of_t(double t, double freedom) {
  const double z = wallace(freedom) * std::sqrt(freedom * std::log1p(t * t / freedom));
  return t < 0 ? -z : z;
}

double t_of_normal(double z, double freedom) {
  const double scaled = z / wallace(freedom);
  const double t = std::sqrt(freedom * std::expm1(scaled * scaled / freedom));
  return z < 0 ? -t : t;
}

std::vector<double> without_spikes(std::span<const double> values, std::size_t reach,
                                   double limit) {
  const std::size_t n = values.size();
  std::vector<double> clean(values.begin(), values.end());
  if (n < 3 || reach == 0) return clean;
  std::vector<double> local(n);
  SortedWindow window(2 * reach + 1);
  for (std::size_t i = 0; i < std::min(reach, n); i++) window.add(values[i]);
  for (std::size_t i = 0; i < n; i++) {
    if (i + reach < n) window.add(values[i + reach]);
    if (i > reach) window.remove(values[i - reach - 1]);
    local[i] = window.median();
  }
  // The spread is taken over long stretches: one that is local to a quiet minute would call the
  // first value of a new regime a spike.
  constexpr std::size_t kStretch = 1024;
  std::vector<double> off;
  for (std::size_t from = 0; from < n; from += kStretch) {
    const std::size_t to = std::min(n, from + kStretch);
    // A short rest is judged with what is before it.
    const std::size_t begin = to - from < kStretch / 2 && from > 0 ? from - kStretch / 2 : from;
    off.clear();
    for (std::size_t i = begin; i < to; i++) off.push_back(values[i] - local[i]);
    const double spread = sigma_about_zero(off);
    for (std::size_t i = from; i < to; i++) {
      if (std::abs(values[i] - local[i]) > limit * spread) clean[i] = local[i];
    }
  }
  return clean;
}

}  // namespace nz::analysis::robust
