// The scale on which a series is judged. Noise of a latency grows with its level and has a long
// tail to the right; asinh(x / unit) is a logarithm far above `unit` and linear below, so it makes
// that noise even, and takes zeros and negative values too (Johnson 1949; Burbidge, Magee and Robb
// 1988).
#pragma once

#include <span>

namespace nz::analysis::detect {

class Stabiliser {
 public:
  Stabiliser() = default;
  explicit Stabiliser(double unit) : unit_(unit) {}

  /// A unit for these finite values: a tenth of the usual level, or the noise where that is more;
  /// the spread where the series has both signs, which leaves it linear.
  static Stabiliser of(std::span<const double> values);

  [[nodiscard]] double forward(double value) const;
  [[nodiscard]] double backward(double stabilised) const;
  [[nodiscard]] double unit() const { return unit_; }

 private:
  double unit_ = 1;
};

}  // namespace nz::analysis::detect
