// From when on a statement is slow where nobody said it: above the p99 of the last minutes.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "analysis/histogram.h"

namespace nz::probes {

inline constexpr std::chrono::seconds kThresholdEvery{10}, kThresholdWindow{300};
inline constexpr uint64_t kThresholdLeastNs = 1'000'000;
/// Until so many statements are known, this.
inline constexpr uint64_t kThresholdStatements = 100, kThresholdFirstNs = 10'000'000;

/// `sqlite.slow` of the configuration: nanoseconds; 0: off; nothing: auto.
std::optional<uint64_t> fixed_threshold(const std::string& slow);

class AdaptiveThreshold {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// Whether it is time for update().
  [[nodiscard]] bool is_due(Time now) const {
    return points_.empty() || now - points_.back().at >= kThresholdEvery;
  }
  /// `durations`: of all statements of the target, cumulative.
  void update(Time now, const analysis::Histogram& durations);
  [[nodiscard]] uint64_t ns() const { return ns_; }

 private:
  struct Point {
    Time at;
    analysis::Histogram durations;  // 31 points of 2.1 KB
  };
  std::deque<Point> points_;
  uint64_t ns_ = kThresholdFirstNs;
};

}  // namespace nz::probes
