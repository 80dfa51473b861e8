// When limits are reached, worked out beside the agent's loop and handed over to reports and rules.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "analysis/limit_forecast.h"
#include "userspace/alerts/limits.h"
#include "userspace/metrics/family.h"
#include "userspace/rest/source.h"

namespace nz::agent {

class Forecasts {
 public:
  using List = std::vector<analysis::LimitForecast>;

  /// `source` outlives it.
  explicit Forecasts(const rest::Source& source);

  /// Rules that may ask for forecasts; from the next step on. Of any thread.
  void want(std::vector<alerts::Rule> rules);

  /// Looks where it is time to, which may take some hundred milliseconds. `now`: Unix seconds. Of
  /// one thread.
  void step(double now);

  /// As of the last look; null before the first. Of any thread.
  [[nodiscard]] std::shared_ptr<const List> list() const;

  /// nearzero_limits_*, nearzero_limit_forecast_seconds_total. Of any thread.
  void collect(std::vector<metrics::Family>& out) const;

 private:
  const rest::Source& source_;
  alerts::Limits limits_;  // of the stepping thread

  mutable std::mutex mutex_;  // of what follows
  std::vector<alerts::Rule> wanted_;
  bool changed_ = false;
  std::shared_ptr<const List> list_;
  std::size_t watched_ = 0;
  std::uint64_t dropped_ = 0;
  double seconds_ = 0;  ///< that looking took, ever
};

}  // namespace nz::agent
