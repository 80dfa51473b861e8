// What the next value of a series will be, from its last values and those of its period. 900 bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace nz::analysis::detect {

/// An autoregression on the last four values and, where the series repeats within 4 to 60 points,
/// on the three around one period ago; otherwise on three older ones. Fitted by recursive least
/// squares with forgetting (Haykin, Adaptive Filter Theory, chapter 10), with errors clipped, so
/// that wild values do not bend it.
class Predictor {
 public:
  /// The next value, as expected before it is seen.
  [[nodiscard]] float expected() const;

  /// Learns the value. `usual` is the usual size of an error: larger ones count as three of it.
  void learn(float value, float usual);

  /// Points after which the series repeats; 0: none is known.
  [[nodiscard]] std::size_t period() const { return period_; }

 private:
  static constexpr std::size_t kRing = 128, kTerms = 8;

  [[nodiscard]] float past(std::size_t lag) const { return ring_[(next_ + kRing - lag) % kRing]; }
  [[nodiscard]] std::array<double, kTerms> terms() const;
  void look_for_period();
  void restart();

  std::array<float, kRing> ring_{};
  std::array<double, kTerms> weight_{};
  // Upper triangle of the inverse covariance of the terms.
  std::array<float, kTerms*(kTerms + 1) / 2> inverse_{};
  std::uint32_t seen_ = 0;
  std::uint8_t next_ = 0, period_ = 0, candidate_ = 0, agreed_ = 0;
};

}  // namespace nz::analysis::detect
