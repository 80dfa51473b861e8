#include "analysis/trend/forecast.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/trend/stretches.h"

namespace nz::analysis {
namespace {

constexpr std::size_t kLeastOfHalf = 30;  // of a half that is to speak for itself
constexpr int kMostHalvings = 3;
constexpr double kLeastBend = 0.1;  // of the slope

Series newest_half(const Series& series) {
  const double middle = series.at.front() + (series.at.back() - series.at.front()) / 2;
  const auto begin = std::lower_bound(series.at.begin(), series.at.end(), middle);
  Series half;
  half.at.assign(begin, series.at.end());
  half.value.assign(series.value.begin() + (begin - series.at.begin()), series.value.end());
  return half;
}

bool bends_away(const TrendFit& half, const TrendFit& whole) {
  const bool differs = whole.slope < half.slope_least || whole.slope > half.slope_most;
  // Two parts of noise differ, too.
  return differs && (whole.significant || half.significant) &&
         std::fabs(half.slope - whole.slope) > kLeastBend * std::fabs(whole.slope);
}

TrendFit newest_trend(Series series, const TrendOptions& options, bool& bent) {
  TrendFit trend = fit_trend(series, options);
  TrendOptions stricter = options;
  stricter.alpha = 0.01;  // which three looks do not wear out
  stricter.season = trend.season;
  for (int i = 0; i < kMostHalvings; i++) {
    if (series.at.size() < 2 * kLeastOfHalf) break;
    series = newest_half(series);
    if (series.at.size() < kLeastOfHalf) break;
    // Less than three cycles would show the season as a trend.
    if (trend.season > 0 && series.at.back() - series.at.front() < 3 * trend.season) break;
    const TrendFit half = fit_trend(series, stricter);
    if (!bends_away(half, trend)) continue;
    trend = half;
    bent = true;
  }
  return trend;
}

// When the line through the middle with this slope is at the limit; never before the end of the
// series.
double crossing(const TrendFit& trend, double slope, double limit, double direction) {
  if (slope * direction <= 0) return std::numeric_limits<double>::infinity();
  return std::max(trend.to, trend.middle_at + (limit - trend.middle) / slope);
}

}  // namespace

Forecast forecast(const Series& all, double limit, Bound bound, const TrendOptions& options) {
  const Series series = finite(all);
  Forecast f;
  f.limit = limit;
  f.trend = newest_trend(series, options, f.bent);
  f.level =
      f.trend.points == 0 ? std::numeric_limits<double>::quiet_NaN() : f.trend.value_at(f.trend.to);
  if (f.trend.points == 0) return f;
  const bool over = f.level >= limit, under = f.level <= limit;
  if ((bound == Bound::upper && over) || (bound == Bound::lower && under) || (over && under)) {
    f.outcome = Forecast::Outcome::reached;
    f.earliest = f.likeliest = f.latest = f.trend.to;
    return f;
  }
  if (!f.trend.significant) return f;
  const double direction = over ? -1 : 1;
  f.likeliest = crossing(f.trend, f.trend.slope, limit, direction);
  if (std::isinf(f.likeliest)) {
    f.outcome = Forecast::Outcome::away;
    return f;
  }
  const double a = crossing(f.trend, f.trend.slope_least, limit, direction);
  const double b = crossing(f.trend, f.trend.slope_most, limit, direction);
  f.earliest = std::min({a, b, f.likeliest});
  f.latest = std::max({a, b, f.likeliest});
  f.outcome = Forecast::Outcome::ahead;
  return f;
}

}  // namespace nz::analysis
