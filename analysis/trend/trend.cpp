#include "analysis/trend/trend.h"

#include <algorithm>
#include <cmath>

#include "analysis/robust.h"
#include "analysis/trend/mann_kendall.h"
#include "analysis/trend/season.h"
#include "analysis/trend/stretches.h"
#include "analysis/trend/theil_sen.h"

namespace nz::analysis {
namespace {

constexpr std::size_t kMostPairs = 1024, kLeastPoints = 8;
constexpr std::size_t kMostSlopes = std::size_t{1} << 20;  // 8 MB while a trend is computed
constexpr double kMostCycles = 400, kLeastCycles = 3;

struct Fitted {
  MannKendall test;
  Slope slope;
};

double z_of(double alpha) { return alpha < 0.03 ? robust::kNormal99 : robust::kNormal95; }

template <class Values>
Fitted fitted(const Values& values, double alpha) {
  PairSlopes slopes = pair_slopes(values);
  const double slope = slopes.empty() ? 0 : robust::median(slopes);
  Fitted f;
  f.test = mann_kendall(values, slope);
  if (!slopes.empty()) f.slope = theil_sen(slopes, f.test.variance, z_of(alpha));
  return f;
}

// Phases so few that their pairs fit into memory.
std::size_t phases_in_bounds(const Series& series, double period, double cycles) {
  const double most = 2 * static_cast<double>(kMostSlopes) / (cycles * cycles);
  return std::min(phases_of(series, period), static_cast<std::size_t>(std::min(most, 24.0)));
}

Fitted fit(const Series& series, const TrendFit& known, double alpha) {
  const double span = known.to - known.from;
  const double cycles = known.season > 0 ? span / known.season : 0;
  if (cycles >= kLeastCycles && cycles <= kMostCycles) {
    const std::size_t phases = phases_in_bounds(series, known.season, cycles + 2);
    if (phases >= 2) {
      return fitted(fold(series, known.season, phases, static_cast<std::size_t>(kMostCycles) + 2),
                    alpha);
    }
  }
  if (series.at.size() <= kMostPairs) return fitted(series, alpha);
  double length = span / static_cast<double>(kMostPairs) * (1 + 1e-9);
  if (cycles > kMostCycles) length = known.season * std::ceil(length / known.season);
  return fitted(stretches(series, known.from, length), alpha);
}

// Medians of times and of what is left of values; of at most 100,000 values, evenly taken.
void place(const Series& series, TrendFit& trend) {
  const std::size_t step = series.at.size() / 100'000 + 1;
  std::vector<double> at, rest;
  for (std::size_t i = 0; i < series.at.size(); i += step) at.push_back(series.at[i]);
  trend.middle_at = robust::median(at);
  for (std::size_t i = 0; i < series.at.size(); i += step)
    rest.push_back(series.value[i] - trend.slope * (series.at[i] - trend.middle_at));
  trend.middle = robust::median(rest);
  trend.spread = robust::sigma(std::move(rest), trend.middle);
}

}  // namespace

TrendFit fit_trend(const Series& all, const TrendOptions& options) {
  const Series series = finite(all);
  TrendFit trend;
  trend.points = series.at.size();
  if (series.at.empty()) {
    trend.note = "there is no value";
    return trend;
  }
  trend.from = series.at.front();
  trend.to = series.at.back();
  const auto [least, most] = std::minmax_element(series.value.begin(), series.value.end());
  if (*least == *most || trend.points < 3) {
    place(series, trend);
    trend.note = trend.points < 3 ? "fewer than 3 values" : "all values are the same";
    return trend;
  }
  if (options.season) {
    trend.season = *options.season;
    trend.season_gain = season_gain(series, trend.season);
  } else {
    const Season season = find_season(series, options.clock);
    trend.season = season.period;
    trend.season_gain = season.gain;
  }
  const Fitted f = fit(series, trend, options.alpha);
  trend.slope = f.slope.likeliest;
  trend.slope_least = f.slope.least;
  trend.slope_most = f.slope.most;
  trend.p = f.test.p;
  trend.tau = f.test.tau();
  place(series, trend);
  if (trend.points < kLeastPoints) {
    trend.note = "fewer than 8 values: too few to tell a trend from chance";
  } else {
    trend.significant = trend.p < options.alpha;
  }
  return trend;
}

}  // namespace nz::analysis
