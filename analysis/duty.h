// The duty cycle: which part of the time a target can be observed within its budget. Knows nothing
// of BPF or clocks.
#pragma once

namespace nz::analysis {

/// Estimates what observing costs without a pause, and turns a budget into the part of the time
/// that fits. Feed it each stretch of observation: it follows a load that grows at once, and one
/// that falls within a few.
class Duty {
 public:
  /// The smallest part: less would leave too few events to say anything.
  static constexpr double kLeast = 0.02;
  /// From here on it is not worth pausing.
  static constexpr double kWhole = 0.9;

  /// `cost` seconds of CPU were spent during `observed` seconds of observation.
  void observe(double cost, double observed);

  /// Seconds of CPU per second of observation: 0 as long as nothing was observed.
  [[nodiscard]] double full_share() const { return full_share_; }

  /// Part of the time, kLeast to 1, that keeps the cost within `budget` (share of one core).
  [[nodiscard]] double ratio(double budget) const;

 private:
  double full_share_ = 0;
};

}  // namespace nz::analysis
