// Where ticks stand and what they say.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nz::report {

/// From a value to a place between 0 and 1.
class Scale {
 public:
  /// Requires low < high and, where `log`, 0 < low.
  Scale(double low, double high, bool log);
  [[nodiscard]] double at(double value) const;  ///< limited to [0, 1]
  [[nodiscard]] double low() const { return low_; }
  [[nodiscard]] double high() const { return high_; }
  [[nodiscard]] bool log() const { return log_; }

 private:
  double low_, high_;
  bool log_;
};

/// A scale that holds all values and ends at ticks. Logarithmic where the positive values lie
/// further apart than a factor of 30 and none is 0 or below; otherwise from 0, but where all lie
/// close together far from it. Values that are not finite count for nothing; without any: 0 to 1.
Scale scale_of(const std::vector<double>& values, std::string_view unit);

/// Round values on the scale, at least two, at most seven.
std::vector<double> ticks(const Scale& scale, std::string_view unit);

/// Unix seconds of whole minutes, hours or days between `from` and `to`, at most `most`.
std::vector<double> time_ticks(double from, double to, std::size_t most = 6);
/// "14:05", "14:05:30", "27 Nov", "27 Nov 14:05": as short as the distance of ticks allows.
std::string time_tick_text(double at, double from, double to);

}  // namespace nz::report
