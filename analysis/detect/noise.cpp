#include "analysis/detect/noise.h"

#include <algorithm>
#include <cmath>

#include "analysis/robust.h"

namespace nz::analysis::detect {
namespace {

constexpr std::size_t kWindow = 256;      // points of one local variance: good to 10 %
constexpr std::size_t kLeastBlocks = 48;  // the least that a scale is measured from: good to 20 %
constexpr double kLeastShare =
    0.01;                         // of the whole series' variance: a still stretch has noise too
constexpr double kMostPhi = 0.9;  // beyond, a wandering level and noise look the same
const double kHalf = 1 / std::sqrt(2.0);

// Half the variance of the difference of two adjacent block means, times the block's length, for an
// AR(1) process whose neighbours differ by a variance of 2.
double ar_growth(double phi, double block) {
  const double left = 1 - std::pow(phi, block);
  const double mean = (1 + phi) / (1 - phi) - 2 * phi * left / (block * (1 - phi) * (1 - phi));
  const double shared = phi * left * left / (block * (1 - phi) * (1 - phi));
  return (mean - shared) / (1 - phi);
}

}  // namespace

Noise::Noise(std::span<const double> values) {
  measure_variance(values);
  if (!none_) measure_growth(values);
}

void Noise::measure_variance(std::span<const double> values) {
  const std::size_t n = values.size();
  std::vector<double> step;
  for (std::size_t i = 1; i < n; i++) step.push_back((values[i] - values[i - 1]) * kHalf);
  std::vector<double> all = step;
  const double sigma = robust::sigma_about_zero(all);
  none_ = sigma <= 0;
  if (none_) return;
  const std::size_t windows = std::max<std::size_t>(1, n / kWindow);
  std::vector<double> local(windows), part;
  for (std::size_t w = 0; w < windows; w++) {
    const std::size_t from = w * step.size() / windows, to = (w + 1) * step.size() / windows;
    part.assign(step.begin() + static_cast<std::ptrdiff_t>(from),
                step.begin() + static_cast<std::ptrdiff_t>(to));
    const double s = robust::sigma_about_zero(part);
    local[w] = std::max(s * s, kLeastShare * sigma * sigma);
  }
  variance_.resize(n);
  for (std::size_t i = 0; i < n; i++) {
    const std::size_t w = i * windows / n;
    const double before = local[w > 0 ? w - 1 : w], after = local[std::min(windows - 1, w + 1)];
    variance_[i] = (before + 2 * local[w] + after) / 4;
  }
}

void Noise::measure_growth(std::span<const double> values) {
  const std::size_t n = values.size();
  const auto count = static_cast<double>(n);
  std::vector<double> off;
  for (std::size_t i = 2; i < n; i++) {
    off.push_back((values[i] - values[i - 2]) * kHalf / std::sqrt(variance_[i]));
  }
  const double two = robust::sigma_about_zero(off);
  off.clear();
  for (std::size_t i = 1; i < n; i++) {
    off.push_back((values[i] - values[i - 1]) * kHalf / std::sqrt(variance_[i]));
  }
  // Where most values equal their neighbours there is no noise to have a shape.
  const auto still = static_cast<std::size_t>(std::count(off.begin(), off.end(), 0.0));
  if (2 * still >= off.size()) {
    growth_.assign(n + 1, 1);
    return;
  }
  const double one = robust::sigma_about_zero(off);
  // Var(x[t+2] - x[t]) / Var(x[t+1] - x[t]) = 1 + phi. What chance alone would give is taken off.
  const double seen = one > 0 ? two * two / (one * one) - 1 : 0;
  const double phi = std::clamp(seen - 1 / std::sqrt(count), 0.0, kMostPhi);

  std::vector<double> sum(n + 1, 0);
  for (std::size_t i = 0; i < n; i++) sum[i + 1] = sum[i] + values[i];
  std::vector<double> measured = {1};  // by power of two
  for (std::size_t block = 2; n / block >= kLeastBlocks; block *= 2) {
    off.clear();
    for (std::size_t from = 0; from + 2 * block <= n; from += block) {
      const double left = sum[from + block] - sum[from];
      const double right = sum[from + 2 * block] - sum[from + block];
      const double s = std::sqrt(variance_[from + block]);
      off.push_back((right - left) * kHalf / (s * std::sqrt(static_cast<double>(block))));
    }
    const double sigma = robust::sigma_about_zero(off);
    // Chance may only lower it: the noise of white noise is not larger at some scale than at
    // others.
    const double sure = 1 - 1.5 / std::sqrt(static_cast<double>(off.size()));
    measured.push_back(std::max(measured.back(), sigma * sigma / (one * one) * sure));
  }
  growth_.assign(n + 1, 1);
  const std::size_t most = std::size_t{1} << (measured.size() - 1);
  const double last = ar_growth(phi, static_cast<double>(most));
  for (std::size_t block = 1; block <= n; block++) {
    if (block >= most) {
      const double ar = ar_growth(phi, static_cast<double>(block)) / last;
      growth_[block] = measured.back() * ar;
      continue;
    }
    const double scale = std::log2(static_cast<double>(block));
    const auto low = static_cast<std::size_t>(scale);
    const double part = scale - static_cast<double>(low);
    growth_[block] = measured[low] + part * (measured[low + 1] - measured[low]);
  }
}

}  // namespace nz::analysis::detect
