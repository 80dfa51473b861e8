// What one series did over several intervals: a coarser interval, a window, a step of a trend.
#pragma once

#include <cstdint>
#include <memory>

#include "analysis/histogram.h"
#include "userspace/store/cell.h"

namespace nz::store {

class Total {
 public:
  void add(const Interval& interval, const Cell& cell);

  [[nodiscard]] bool any() const { return any_; }
  [[nodiscard]] double growth() const { return growth_; }  ///< counters
  [[nodiscard]] double value() const { return value_; }    ///< of the latest interval
  [[nodiscard]] double least() const { return least_; }    ///< gauges
  [[nodiscard]] double most() const { return most_; }
  [[nodiscard]] double mean() const;  ///< gauges: weighed by time
  /// Milliseconds that the intervals last together.
  [[nodiscard]] std::int64_t milliseconds() const { return milliseconds_; }
  [[nodiscard]] std::int64_t until() const { return until_; }  ///< end of the latest interval
  /// Histograms. Minimum and maximum are exact where drains told them, else bounds of buckets.
  [[nodiscard]] analysis::Histogram histogram() const;
  /// As one interval; requires any().
  [[nodiscard]] Cell cell() const;

 private:
  metrics::Type type_ = metrics::Type::gauge;
  bool any_ = false;
  double value_ = 0, growth_ = 0, least_ = 0, most_ = 0, weighed_ = 0;
  std::int64_t milliseconds_ = 0, weight_ = 0, until_ = 0;
  std::unique_ptr<history::Flat> counts_;  // made with the first value: most series are idle
  history::Extremes extremes_;
};

}  // namespace nz::store
