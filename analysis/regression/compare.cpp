#include "analysis/regression/compare.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/robust.h"

namespace nz::analysis {
namespace {

constexpr std::size_t kLeastSlices = 3;
constexpr std::size_t kSlicesForCorrelation = 8;

struct Side {
  std::vector<const Histogram*> slices;
  std::vector<double> counts;
  Histogram all;
  double count = 0;

  explicit Side(std::span<const Slice> from) {
    for (const Slice& slice : from) {
      const double n = slice.histogram ? static_cast<double>(slice.histogram->count()) : 0;
      if (n == 0) continue;
      slices.push_back(slice.histogram.get());
      counts.push_back(n);
      count += n;
      all.merge(*slice.histogram);
    }
  }
  [[nodiscard]] double freedom() const { return static_cast<double>(slices.size()) - 1; }
};

// Share of values up to a point, with its variance.
struct Share {
  double share = 0, variance = 0;
};

double widening(const std::vector<double>& residuals) {
  if (residuals.size() < kSlicesForCorrelation) return 1;
  double power = 0, product = 0;
  for (std::size_t i = 0; i < residuals.size(); i++) {
    power += residuals[i] * residuals[i];
    if (i > 0) product += residuals[i] * residuals[i - 1];
  }
  if (power <= 0) return 1;
  const double correlation = std::clamp(product / power, 0.0, 0.8);
  return (1 + correlation) / (1 - correlation);
}

Share share_up_to(const Side& side, double seconds) {
  Share s;
  std::vector<double> below;
  double sum = 0;
  for (const Histogram* slice : side.slices) {
    below.push_back(values_up_to(*slice, seconds));
    sum += below.back();
  }
  s.share = sum / side.count;
  double squares = 0;
  for (std::size_t i = 0; i < below.size(); i++) {
    below[i] -= s.share * side.counts[i];
    squares += below[i] * below[i];
  }
  const auto k = static_cast<double>(below.size());
  const double between = k / (k - 1) * squares / (side.count * side.count) * widening(below);
  s.variance = std::max(between, s.share * (1 - s.share) / side.count);
  return s;
}

// Standard error of the logarithm of a quantile, from the interval that inverts the share's.
double log_error(const Side& side, double q, double value) {
  const double error = std::sqrt(share_up_to(side, value).variance);
  const double z = robust::kNormal95;
  const double low = side.all.quantile_interpolated(q - z * error);
  const double high = side.all.quantile_interpolated(q + z * error);
  const double floor = std::ldexp(1.0, NZ_MIN_EXP);
  return std::log(std::max(high, floor) / std::max(low, floor)) / (2 * z);
}

double p_at(const Side& before, const Side& after, double seconds) {
  const Share b = share_up_to(before, seconds), a = share_up_to(after, seconds);
  const double variance = b.variance + a.variance;
  const double difference = a.share - b.share;
  if (difference == 0) return 1;
  if (variance <= 0) return 0;
  const double freedom =
      variance * variance /
      (b.variance * b.variance / before.freedom() + a.variance * a.variance / after.freedom());
  return robust::two_sided_p(robust::normal_of_t(difference / std::sqrt(variance), freedom));
}

bool enough(const Side& side, double q, double values) {
  return side.count * (1 - q) >= values && side.count * q >= values;
}

QuantileShift shift_of(const Side& before, const Side& after, double q) {
  QuantileShift s;
  s.quantile = q;
  s.before = before.all.quantile_interpolated(q);
  s.after = after.all.quantile_interpolated(q);
  const double floor = std::ldexp(1.0, NZ_MIN_EXP);
  s.ratio = std::max(s.after, floor) / std::max(s.before, floor);
  const double error = std::hypot(log_error(before, q, s.before), log_error(after, q, s.after));
  const double freedom = std::min(before.freedom(), after.freedom());
  const double reach = robust::t_of_normal(robust::kNormal95, freedom) * error;
  s.ratio_least = s.ratio * std::exp(-reach);
  s.ratio_most = s.ratio * std::exp(reach);
  s.p = std::max(p_at(before, after, s.before), p_at(before, after, s.after));
  return s;
}

}  // namespace

Shift compare(std::span<const Slice> before, std::span<const Slice> after,
              const ShiftOptions& options) {
  Shift shift;
  const Side b(before), a(after);
  if (b.slices.size() < kLeastSlices || a.slices.size() < kLeastSlices) return shift;
  for (const double q : options.quantiles) {
    if (enough(b, q, options.least_values) && enough(a, q, options.least_values))
      shift.quantiles.push_back(shift_of(b, a, q));
  }
  double surest = 1;
  const auto looked_at = static_cast<double>(shift.quantiles.size());
  for (const QuantileShift& s : shift.quantiles) {
    const double p = std::min(1.0, s.p * looked_at);
    surest = std::min(surest, p);
    if (p < options.alpha && std::fabs(s.ratio - 1) >= options.least_change)
      shift.moved.push_back(s);
  }
  shift.confidence = 1 - surest;
  return shift;
}

}  // namespace nz::analysis
