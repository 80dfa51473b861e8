// Looks now and then where everything that has a limit is heading: disks, memory, descriptors, and
// what rules name besides.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "analysis/limit_forecast.h"
#include "analysis/series.h"
#include "userspace/alerts/rule.h"
#include "userspace/history/history.h"

namespace nz::alerts {

class Limits {
 public:
  /// As history::History::trends().
  using Trends = std::function<std::vector<history::Trend>(const history::Selector& selector,
                                                           double from, double to, double step)>;

  /// `resources`: names of forecast_names() that are looked after whatever rules say.
  explicit Limits(std::vector<std::string> resources) : always_(std::move(resources)) {}

  /// Which forecasts rules ask for besides. Others are forgotten.
  void want(const std::vector<Rule>& rules);

  /// Looks where it is due: at the last hour each 5 minutes, at the last day each quarter of an
  /// hour, at the last fortnight each half. `now`: Unix seconds; where it was set back all of them.
  /// Whether it has looked.
  bool step(double now, const Trends& trends);

  /// What has reached its limit or has it in sight, the soonest first. Of the three looks the one
  /// that is soonest; none reaches further than five times the history that it rests on, and none
  /// whose newest value has left the line.
  [[nodiscard]] std::vector<analysis::LimitForecast> forecasts() const;
  /// Quantities of the last looks, with a limit in sight or not.
  [[nodiscard]] std::size_t watched() const;
  /// Quantities beyond the 256 of a look, ever.
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  struct Look {
    double length, step, every;  ///< seconds
    double next = 0;             ///< Unix seconds
    std::size_t watched = 0;
    std::vector<analysis::LimitForecast> found = {};
  };

  void run(Look& look, double now, const Trends& trends);
  void look_at_resource(const std::string& name, Look& look, double now, const Trends& trends);
  void look_at_series(const ForecastFound& rule, Look& look, double now, const Trends& trends);
  void judge(analysis::LimitForecast about, const analysis::Series& series, bool upper, Look& look);

  std::vector<std::string> always_, resources_ = always_;
  std::vector<ForecastFound> series_;
  std::vector<Look> looks_ = {{3600, 60, 300}, {86400, 600, 900}, {14 * 86400.0, 7200, 1800}};
  double last_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace nz::alerts
