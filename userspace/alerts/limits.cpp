#include "userspace/alerts/limits.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "analysis/trend/forecast.h"
#include "userspace/alerts/resource.h"

namespace nz::alerts {
namespace {

constexpr std::size_t kMostWatched = 256;  // quantities of a look
constexpr double kLeastBasis = 600;        // seconds of history that say anything
constexpr double kReach = 5;               // times that basis
constexpr double kHourSeconds = 3600, kDaySeconds = 86400;
// The newest value must lie on the line: after a disk was emptied, the line of weeks still rises.
constexpr double kMostSpreads = 4, kLeastMargin = 0.01;  // of the limit

using Groups = std::map<analysis::Labels, analysis::Series>;

history::Selector selector_of(const Selector& series, const Statistic& statistic) {
  history::Selector selector;
  selector.name = series.name;
  for (const Matcher& matcher : series.matchers) {
    // A condition on "" holds where the label is not there.
    if (matcher.kind == Matcher::Kind::equal && !matcher.value.empty())
      selector.labels.emplace_back(matcher.label, matcher.value);
  }
  if (statistic.kind == Statistic::Kind::quantile) selector.quantile = statistic.quantile;
  selector.mean = statistic.kind == Statistic::Kind::mean;
  return selector;
}

void add(const std::vector<history::Point>& points, analysis::Series& to) {
  if (to.at.empty()) {
    for (const history::Point& p : points) {
      to.at.push_back(p.at);
      to.value.push_back(p.value);
    }
    return;
  }
  for (std::size_t i = 0; i < std::min(points.size(), to.value.size()); i++) {
    if (!std::isfinite(points[i].value)) continue;
    to.value[i] = std::isfinite(to.value[i]) ? to.value[i] + points[i].value : points[i].value;
  }
}

/// NaN: there is none.
double newest(const analysis::Series& series) {
  for (auto it = series.value.rbegin(); it != series.value.rend(); ++it) {
    if (std::isfinite(*it)) return *it;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

std::string words_for(const std::string& resource, const analysis::Labels& labels) {
  const auto of = [&](const char* label) { return std::string(value_of(labels, label)); };
  if (resource == "disk_space") return "space of " + of("mount");
  if (resource == "inodes") return "inodes of " + of("mount");
  if (resource == "memory") return "memory of the cgroup of " + of("target");
  if (resource == "file_descriptors") return "file descriptors of " + of("target");
  if (resource == "host_file_descriptors") return "file descriptors of the host";
  if (resource == "host_memory") return "memory of the host";
  return resource;
}

std::optional<double> if_near(double at, double horizon) {
  return std::isfinite(at) && at <= horizon ? std::optional(at) : std::nullopt;
}

}  // namespace

void Limits::want(const std::vector<Rule>& rules) {
  resources_ = always_;
  series_.clear();
  for (const Rule& rule : rules) {
    const auto* wanted = std::get_if<ForecastFound>(&rule.condition);
    if (wanted == nullptr) continue;
    if (!wanted->resource.empty()) {
      if (std::find(resources_.begin(), resources_.end(), wanted->resource) == resources_.end())
        resources_.push_back(wanted->resource);
      continue;
    }
    // Rules that differ in `within` alone share their forecasts; `where` is asked of each anew.
    const bool known = std::any_of(series_.begin(), series_.end(), [&](const auto& one) {
      return one.subject() == wanted->subject();
    });
    if (!known) series_.push_back(*wanted);
  }
  for (Look& look : looks_) look.next = 0;
}

bool Limits::step(double now, const Trends& trends) {
  bool looked = false;
  for (Look& one : looks_) {
    if (now < one.next && now >= last_) continue;
    run(one, now, trends);
    one.next = now + one.every;
    looked = true;
  }
  last_ = now;
  return looked;
}

void Limits::run(Look& look, double now, const Trends& trends) {
  look.found.clear();
  look.watched = 0;
  for (const std::string& name : resources_) look_at_resource(name, look, now, trends);
  for (const ForecastFound& rule : series_) look_at_series(rule, look, now, trends);
}

void Limits::look_at_resource(const std::string& name, Look& look, double now,
                              const Trends& trends) {
  const auto ratio = resource_ratio(name);
  if (!ratio) return;
  const auto values_of = [&](const Measure& measure) {
    Groups groups;
    for (const history::Trend& trend : trends(selector_of(measure.series, measure.statistic),
                                              now - look.length, now, look.step)) {
      if (measure.series.matches(measure.series.name, trend.labels))
        add(trend.points, groups[group_labels(trend.labels, measure.by, measure.each)]);
    }
    return groups;
  };
  Groups used = values_of(ratio->of);
  for (const auto& [labels, limits] : values_of(ratio->to)) {
    const auto found = used.find(labels);
    const double limit = newest(limits);
    if (found == used.end() || !(limit > 0)) continue;
    analysis::Series& series = found->second;
    if (ratio->complement) {
      for (std::size_t i = 0; i < series.value.size(); i++)
        series.value[i] = i < limits.value.size() ? limits.value[i] - series.value[i]
                                                  : std::numeric_limits<double>::quiet_NaN();
    }
    analysis::LimitForecast about;
    about.of = {ratio->of.series.name, labels, "value", ratio->of.unit()};
    about.what = words_for(name, labels);
    about.limit = limit;
    about.subject = name;
    judge(std::move(about), series, true, look);
  }
}

void Limits::look_at_series(const ForecastFound& rule, Look& look, double now,
                            const Trends& trends) {
  const Selector& selector = rule.of.series;
  for (const history::Trend& trend :
       trends(selector_of(selector, rule.of.statistic), now - look.length, now, look.step)) {
    if (!selector.matches(selector.name, trend.labels)) continue;
    analysis::Series series;
    add(trend.points, series);
    analysis::LimitForecast about;
    about.of = {selector.name, trend.labels, text_of(rule.of.statistic), rule.of.unit()};
    about.what = analysis::text_of(about.of);
    about.limit = rule.bound.value;
    about.subject = rule.subject();
    judge(std::move(about), series, rule.bound.above, look);
  }
}

void Limits::judge(analysis::LimitForecast about, const analysis::Series& series, bool upper,
                   Look& look) {
  if (look.watched == kMostWatched) {
    dropped_++;
    return;
  }
  look.watched++;
  using Outcome = analysis::Forecast::Outcome;
  analysis::TrendOptions options;
  if (look.length <= kHourSeconds) options.season = 0;  // an hour shows no day
  const auto f = analysis::forecast(
      series, about.limit, upper ? analysis::Bound::upper : analysis::Bound::lower, options);
  if (f.outcome != Outcome::ahead && f.outcome != Outcome::reached) return;
  about.value = newest(series);
  const double margin =
      kMostSpreads * f.trend.spread + kLeastMargin * std::fabs(about.limit) +
      3 * std::fabs(f.trend.slope) * look.step;  // or rounding, where nothing else moves
  if (!(std::fabs(about.value - f.level) <= margin)) return;
  const double basis = f.trend.to - f.trend.from;
  const double horizon = f.trend.to + kReach * basis;
  if (f.outcome == Outcome::ahead && (basis < kLeastBasis || f.likeliest > horizon)) return;
  about.per_day = f.trend.slope * kDaySeconds;
  about.earliest = f.earliest;
  about.likeliest = f.likeliest;
  about.latest = if_near(f.latest, horizon);
  look.found.push_back(std::move(about));
}

std::vector<analysis::LimitForecast> Limits::forecasts() const {
  std::map<std::pair<std::string, analysis::Labels>, const analysis::LimitForecast*> soonest;
  for (const Look& look : looks_) {
    for (const analysis::LimitForecast& f : look.found) {
      auto& known = soonest[{f.subject, f.of.labels}];
      if (known == nullptr || f.likeliest < known->likeliest) known = &f;
    }
  }
  std::vector<analysis::LimitForecast> all;
  for (const auto& [key, f] : soonest) all.push_back(*f);
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.likeliest < b.likeliest; });
  return all;
}

std::size_t Limits::watched() const {
  std::size_t most = 0;
  for (const Look& look : looks_) most = std::max(most, look.watched);
  return most;
}

}  // namespace nz::alerts
