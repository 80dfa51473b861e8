// How unusual a statistic is among its own past: a streaming tail probability. 28 bytes.
#pragma once

#include <cstdint>

namespace nz::analysis::detect {

/// The body of the distribution is known by its median and its 98th percentile, both tracked by
/// stochastic approximation (Robbins and Monro 1951), what lies beyond by a generalised Pareto law
/// fitted to the excesses by their moments (Hosking and Wallis 1987), as SPOT does for streams (Siffer
/// et al., KDD 2017). Follows a distribution that changes within some thousand values.
class Tail {
 public:
  /// -log10 of the chance of a value of at least `statistic` (>= 0), as known before it: 0 is usual. No
  /// more than what so many values can speak for: 2 * log10(values / alike + 1), where `alike`
  /// neighbours hold nearly the same.
  [[nodiscard]] float surprise(float statistic, float alike = 1) const;

  /// Learns it. Wild ones count with a bounded weight.
  void learn(float statistic);

 private:
  static constexpr float kBeyond = 0.02F;

  float median_ = 0, high_ = 0;      // of the statistic
  float mean_ = 0, square_ = 0;      // of what exceeds `high_`
  float size_ = 0;                   // mean of the statistic: the unit of steps
  std::uint32_t seen_ = 0, beyond_ = 0;
};

}  // namespace nz::analysis::detect
