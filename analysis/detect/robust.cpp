#include "analysis/detect/robust.h"

#include <algorithm>
#include <cmath>

namespace nz::analysis::detect {
namespace {

// Mean of min(z^2, 3^2) for standard normal z: makes the clipped variance consistent.
constexpr double kClip = 3.0;
constexpr double kClippedVariance = 0.99498;

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

double median_in_place(std::span<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
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

double two_sided_p(double z) { return std::erfc(z / std::sqrt(2.0)); }

double z_of_two_sided_p(double p) {
  double low = 0, high = 40;
  for (int i = 0; i < 60; i++) {
    const double middle = (low + high) / 2;
    (two_sided_p(middle) > p ? low : high) = middle;
  }
  return high;
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
    const double sigma = sigma_about_zero(off);
    for (std::size_t i = from; i < to; i++) {
      if (std::abs(values[i] - local[i]) > limit * sigma) clean[i] = local[i];
    }
  }
  return clean;
}

}  // namespace nz::analysis::detect
