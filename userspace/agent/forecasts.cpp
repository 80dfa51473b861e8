#include "userspace/agent/forecasts.h"

#include <utility>

#include "userspace/alerts/resource.h"
#include "userspace/base/clock.h"

namespace nz::agent {

Forecasts::Forecasts(const rest::Source& source)
    : source_(source), limits_(alerts::forecast_names()) {}

void Forecasts::want(std::vector<alerts::Rule> rules) {
  const std::lock_guard lock(mutex_);
  wanted_ = std::move(rules);
  changed_ = true;
}

void Forecasts::step(double now) {
  if (!source_.view()) return;  // nothing was drained yet
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(changed_, false)) limits_.want(wanted_);
  }
  const std::uint64_t begin = monotonic_ns();
  const bool looked =
      limits_.step(now, [this](const history::Selector& selector, double from, double to,
                               double step) { return source_.trends(selector, from, to, step); });
  if (!looked) return;
  auto list = std::make_shared<const List>(limits_.forecasts());
  const double took = static_cast<double>(monotonic_ns() - begin) / 1e9;
  const std::lock_guard lock(mutex_);
  list_ = std::move(list);
  watched_ = limits_.watched();
  dropped_ = limits_.dropped();
  seconds_ += took;
}

std::shared_ptr<const Forecasts::List> Forecasts::list() const {
  const std::lock_guard lock(mutex_);
  return list_;
}

void Forecasts::collect(std::vector<metrics::Family>& out) const {
  const std::lock_guard lock(mutex_);
  const auto one = [&](const char* name, const char* help, metrics::Type type, double value) {
    out.push_back({name, help, type, {{{}, value, nullptr}}});
  };
  one("nearzero_limits_watched", "Quantities with a limit whose trend is looked at.",
      metrics::Type::gauge, static_cast<double>(watched_));
  one("nearzero_limits_in_sight", "Those that have reached it, or will if they go on so.",
      metrics::Type::gauge, list_ ? static_cast<double>(list_->size()) : 0);
  one("nearzero_limits_dropped_total", "Quantities with a limit that were too many to look at.",
      metrics::Type::counter, static_cast<double>(dropped_));
  one("nearzero_limit_forecast_seconds_total", "Time that looking at their trends took.",
      metrics::Type::counter, seconds_);
}

}  // namespace nz::agent
