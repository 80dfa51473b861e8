// The duty cycle: which part of the time a target can be observed within its budget. Knows nothing
// of BPF or clocks.
#pragma once

namespace nz::analysis {

/// Estimates what observing costs without a pause, and turns a budget into a part of the time. The
/// part is the square of budget by cost: CPU is not all that observing costs. Whoever is dear to
/// observe has each observed event slowed by much, and events that are slower by a tenth move the
/// 99th percentile of all as soon as they are more than a few in a hundred (ADR 7). Feed it each
/// stretch of observation: it follows a load that grows at once, and one that falls within a few.
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

  /// Part of the time, kLeast to 1. Costs at most `budget` (share of one core), but at kLeast.
  [[nodiscard]] double ratio(double budget) const;

 private:
  double full_share_ = 0;
};

}  // namespace nz::analysis
