// What one series did over some points.
#pragma once

#include <memory>

#include "userspace/history/scan.h"

namespace nz::history {

/// Minimum and maximum of the values of a histogram whose counts are known: those that were told
/// where they lie in its outermost buckets, otherwise the bounds of these. Requires a value.
void bound_extremes(analysis::Histogram& h, const Extremes& told);

class Growth {
 public:
  /// Takes the point that `state` was read at. A counter or histogram that fell began at 0 again.
  void add(const State& state);

  [[nodiscard]] bool seen() const { return seen_; }        ///< it was there at one of the points
  [[nodiscard]] double change() const { return change_; }  ///< counters
  [[nodiscard]] double least() const { return least_; }    ///< gauges
  [[nodiscard]] double most() const { return most_; }
  /// Histograms: the values of these points alone. Minimum and maximum are exact where the drains
  /// told them, otherwise the boundaries of the outermost buckets.
  [[nodiscard]] analysis::Histogram histogram() const;

 private:
  void add_histogram(const State& state);

  bool seen_ = false;
  double change_ = 0, least_ = 0, most_ = 0;
  std::unique_ptr<Flat> grown_;
  Extremes extremes_;
};

}  // namespace nz::history
