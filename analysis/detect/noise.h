// How much the level of a series wanders by itself, from minute to minute and at longer scales:
// the measure of every step.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace nz::analysis::detect {

/// Noise of a series, from differences, so that levels, steps and slow drift do not count as noise.
///
/// `variance(i)` is local, half the squared difference of neighbours, so it follows a noise that
/// changes. `growth(b)` tells how much larger than that the variance of a mean of b points is than
/// independent points would make it: 1 for white noise, (1 + phi) / (1 - phi)^2 for long means of
/// an AR(1) process. It is measured at every scale from differences of adjacent block means (Wu and
/// Zhao, "Inference of trends in time series", JRSS B 2007; Eichinger and Kirch, Bernoulli 2018, on
/// long-run variance for moving sums), and carried on by an AR(1) where there are too few blocks.
class Noise {
 public:
  /// `values` are finite, without spikes. Memory and time O(n).
  explicit Noise(std::span<const double> values);

  [[nodiscard]] double variance(std::size_t index) const { return variance_[index]; }
  /// For 1 <= block <= n.
  [[nodiscard]] double growth(std::size_t block) const { return growth_[block]; }
  /// Nothing in the series ever differs from its neighbour.
  [[nodiscard]] bool none() const { return none_; }

 private:
  void measure_variance(std::span<const double> values);
  void measure_growth(std::span<const double> values);

  std::vector<double> variance_;  // by point
  std::vector<double> growth_;    // by block length; [0] unused
  bool none_ = false;
};

}  // namespace nz::analysis::detect
