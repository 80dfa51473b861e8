#include "analysis/detect/stabilise.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "analysis/robust.h"

namespace nz::analysis::detect {
namespace {

// As many values as a median needs to be good to some percent; spread over the series.
constexpr std::size_t kSample = 20'000;

}  // namespace

Stabiliser Stabiliser::of(std::span<const double> values) {
  if (values.empty()) return {};
  const std::size_t stride = std::max<std::size_t>(1, values.size() / kSample);
  std::vector<double> level, step;
  double mean = 0;
  std::size_t positive = 0, negative = 0;
  for (std::size_t i = 0; i < values.size(); i += stride) {
    level.push_back(values[i]);
    mean += std::abs(values[i]);
    positive += values[i] > 0 ? 1 : 0;
    negative += values[i] < 0 ? 1 : 0;
    if (i > 0) step.push_back((values[i] - values[i - 1]) / std::sqrt(2.0));
  }
  const auto count = static_cast<double>(level.size());
  mean /= count;
  const double middle = robust::median_in_place(level);
  double unit = 0;
  if (static_cast<double>(std::min(positive, negative)) > 0.02 * count) {
    for (double& v : level) v -= middle;
    unit = 3 * robust::sigma_about_zero(level);
  } else {
    unit = std::max(0.1 * std::abs(middle), robust::sigma_about_zero(step));
  }
  if (unit <= 0) unit = mean;
  // A denormal unit would turn everything into infinity.
  return std::isfinite(unit) && unit > 1e-300 ? Stabiliser(unit) : Stabiliser();
}

double Stabiliser::forward(double value) const { return std::asinh(value / unit_); }
double Stabiliser::backward(double stabilised) const { return unit_ * std::sinh(stabilised); }

}  // namespace nz::analysis::detect
