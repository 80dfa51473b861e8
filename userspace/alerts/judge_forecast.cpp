// Limits that are reached before long.
#include <fmt/format.h>

#include <algorithm>

#include "userspace/alerts/alert.h"
#include "userspace/alerts/judge_parts.h"

namespace nz::alerts {
namespace {

std::optional<double> moment_of(const analysis::LimitForecast& forecast,
                                ForecastFound::Moment moment) {
  switch (moment) {
    case ForecastFound::Moment::earliest:
      return forecast.earliest;
    case ForecastFound::Moment::latest:
      return forecast.latest;
    case ForecastFound::Moment::likeliest:
      break;
  }
  return forecast.likeliest;
}

/// "40 min", "2.5 h", "3.1 d": of what lies ahead nobody knows the seconds.
std::string span_text(double seconds) {
  constexpr double kHour = 3600, kDay = 86400;
  if (seconds < 60) return "less than 1 min";
  if (seconds < 2 * kHour) return fmt::format("{:.0f} min", seconds / 60);
  if (seconds < 2 * kDay) return fmt::format("{:.1f} h", seconds / kHour);
  return fmt::format("{:.1f} d", seconds / kDay);
}

std::string when_text(const std::optional<double>& at) {
  return at ? time_of_day(*at) : std::string("not in sight");
}

}  // namespace

Verdict judge_one(const ForecastFound& condition, const Rule& rule, const Judging& with) {
  Verdict verdict;
  const auto* forecasts = with.facts.forecasts();
  if (forecasts == nullptr) {
    verdict.known = false;
    verdict.unknown = "nobody looks for forecasts yet";
    return verdict;
  }
  const std::string subject = condition.subject();
  for (const analysis::LimitForecast& f : *forecasts) {
    if (f.subject != subject || !matches(condition.where, f.of.labels)) continue;
    const auto moment = moment_of(f, condition.moment);
    if (!moment || *moment - with.now > condition.within) continue;
    Observation o;
    o.key = key_of(f.of.labels);
    o.labels = f.of.labels;
    o.severity = rule.severity;
    o.value = std::max(0.0, *moment - with.now);
    o.unit = "seconds";
    o.fields["value"] = o.fields["left"] = span_text(o.value);
    o.fields["quantity"] = f.what;
    o.fields["now"] = value_text(f.value, f.of.unit);
    o.fields["limit"] = value_text(f.limit, f.of.unit);
    o.fields["per_day"] = value_text(f.per_day, f.of.unit);
    o.fields["earliest"] = when_text(f.earliest);
    o.fields["likeliest"] = when_text(f.likeliest);
    o.fields["latest"] = when_text(f.latest);
    verdict.observations.push_back(std::move(o));
  }
  return verdict;
}

}  // namespace nz::alerts
