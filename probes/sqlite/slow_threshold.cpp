#include "probes/sqlite/slow_threshold.h"

#include <algorithm>
#include <cmath>

#include "userspace/config/units.h"

namespace nz::probes {

std::optional<uint64_t> fixed_threshold(const std::string& slow) {
  if (slow == "off") return 0;
  const auto duration = config::parse_duration(slow);
  if (!duration) return std::nullopt;
  return static_cast<uint64_t>(std::chrono::nanoseconds(*duration).count());
}

void AdaptiveThreshold::update(Time now, const analysis::Histogram& durations) {
  // The oldest point is the last one that is a whole window old, or the first of all.
  while (points_.size() > 1 && now - points_[1].at >= kThresholdWindow) points_.pop_front();
  const analysis::Histogram recent =
      points_.empty() ? durations : durations.since(points_.front().durations);
  points_.push_back({now, durations});
  if (recent.count() < kThresholdStatements) return;
  const double p99 = recent.quantile(0.99);
  ns_ = std::max(kThresholdLeastNs, static_cast<uint64_t>(std::llround(p99 * 1e9)));
}

}  // namespace nz::probes
