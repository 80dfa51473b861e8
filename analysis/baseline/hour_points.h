// What one hour of a series was, gathered point by point in a few hundred bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace nz::analysis {

/// Latencies vary by factors: their baselines are of logarithms, and values of 0 and less have
/// none.
enum class Scale { linear, log };
double on_scale(Scale scale, double value);
double off_scale(Scale scale, double scaled);

struct HourSummary {
  std::int64_t hour = 0;  ///< since 1970, UTC
  float median = 0;       ///< of the hour's points, on the scale
  float spread = 0;       ///< their scaled MAD
  std::uint16_t points = 0;
  bool held = false;  ///< left out of what is usual
};

/// Points of the present hour: the first 60, then every second, fourth ... of them, so that an hour
/// of any resolution fits. 0.3 KB a series.
class HourPoints {
 public:
  explicit HourPoints(Scale scale) : scale_(scale) {}
  /// In order of time; the hour before, when this point begins another. Points that are not finite
  /// (on the log scale: not above 0) and those of an earlier hour are left out; hours of fewer than
  /// 3 points give nothing.
  std::optional<HourSummary> add(double at, double value);
  /// The present hour as far as it went.
  [[nodiscard]] std::optional<HourSummary> summary() const;

 private:
  static constexpr std::size_t kMost = 60;
  void take(float scaled);

  Scale scale_;
  std::int64_t hour_ = INT64_MIN;
  std::array<float, kMost> values_{};
  std::uint16_t kept_ = 0;
  std::uint32_t stride_ = 1, seen_ = 0;
};

}  // namespace nz::analysis
