#include "analysis/trend/season.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "analysis/robust.h"
#include "analysis/trend/stretches.h"
#include "analysis/trend/theil_sen.h"

namespace nz::analysis {
namespace {

constexpr double kDay = 86400, kWeek = 7 * kDay;
constexpr std::size_t kMostPhases = 24, kMostCyclesFound = 64, kMostPointsTried = 512;
constexpr std::size_t kMostStretches = 65'536, kMostLags = 2048;
constexpr double kLeastCyclesFound = 3;
constexpr double kLeastGain = 0.1;
// A week explains all that a day explains; it has to explain this much more.
constexpr double kWeekOverDay = 0.05;

double span(const Series& series) { return series.at.back() - series.at.front(); }

Series reduced(const Series& series, std::size_t most) {
  if (series.at.size() <= most) return series;
  return stretches(series, series.at.front(),
                   span(series) / static_cast<double>(most) * (1 + 1e-9));
}

Series newest(const Series& series, std::size_t most) {
  const auto n = static_cast<std::ptrdiff_t>(std::min(series.at.size(), most));
  return {{series.at.end() - n, series.at.end()}, {series.value.end() - n, series.value.end()}};
}

Series without_line(Series series) {
  const Series few = reduced(series, kMostPointsTried);
  PairSlopes slopes = pair_slopes(few);
  if (slopes.empty()) return series;
  const double slope = robust::median(std::move(slopes));
  for (std::size_t i = 0; i < series.at.size(); i++)
    series.value[i] -= slope * (series.at[i] - series.at.front());
  return series;
}

double gain_of(const Series& rest, double period) {
  if (span(rest) < kLeastCyclesFound * period) return 0;
  const std::size_t phases = phases_of(rest, period);
  if (phases < 2) return 0;
  const Cycles cycles = fold(rest, period, phases, kMostCyclesFound);
  double foretold = 0, all = 0;
  std::vector<double> valid;
  for (const double v : cycles.value) {
    if (!std::isnan(v)) valid.push_back(v);
  }
  const double center = robust::median(valid);
  for (std::size_t phase = 0; phase < phases; phase++) {
    for (std::size_t cycle = 0; cycle < cycles.cycles; cycle++) {
      const double value = cycles.value[cycles.index(cycle, phase)];
      if (std::isnan(value)) continue;
      std::vector<double> others;
      for (std::size_t c = 0; c < cycles.cycles; c++) {
        const double other = cycles.value[cycles.index(c, phase)];
        if (c != cycle && !std::isnan(other)) others.push_back(other);
      }
      if (others.size() < 2) continue;
      foretold += std::fabs(value - robust::median(std::move(others)));
      all += std::fabs(value - center);
    }
  }
  return all > 0 ? std::max(0.0, 1 - foretold / all) : 0;
}

// The lag, in points of an even series, where it resembles itself most after it has once stopped
// doing so.
std::optional<std::size_t> strongest_lag(const std::vector<double>& values) {
  const double center = robust::median(values);
  const double spread = robust::sigma(values, center);
  std::vector<double> x(values.size());
  for (std::size_t i = 0; i < x.size(); i++) {
    x[i] = values[i] - center;
    if (spread > 0) x[i] = std::clamp(x[i], -4 * spread, 4 * spread);
  }
  const double power = std::inner_product(x.begin(), x.end(), x.begin(), 0.0);
  if (power <= 0) return std::nullopt;
  const std::size_t most = x.size() / 3;
  std::vector<double> correlation(most + 2, 0.0);
  for (std::size_t lag = 1; lag <= most; lag++) {
    correlation[lag] =
        std::inner_product(x.begin() + static_cast<std::ptrdiff_t>(lag), x.end(), x.begin(), 0.0) /
        power;
  }
  std::size_t from = 1;
  while (from <= most && correlation[from] > 0.1) from++;
  std::optional<std::size_t> best;
  for (std::size_t lag = std::max<std::size_t>(from, 2); lag < most; lag++) {
    const bool peak = correlation[lag] > 0.2 && correlation[lag] >= correlation[lag - 1] &&
                      correlation[lag] >= correlation[lag + 1];
    // The first of equals: twice the period resembles as much. Later lags have fewer products, so
    // that their sum is smaller anyway.
    if (peak && (!best || correlation[lag] > correlation[*best])) best = lag;
  }
  return best;
}

}  // namespace

std::size_t phases_of(const Series& series, double period) {
  const double spacing = span(series) / static_cast<double>(series.at.size() - 1);
  // Half a spacing of tolerance: 24 points of a day that miss one are still 24.
  return std::min(kMostPhases, static_cast<std::size_t>(period / spacing * 1.02));
}

double season_gain(const Series& series, double period) {
  if (series.at.size() < 6 || period <= 0) return 0;
  return gain_of(without_line(reduced(series, kMostStretches)), period);
}

Season find_season(const Series& series, bool clock) {
  Season best;
  if (series.at.size() < 12) return best;
  const Series rest = without_line(reduced(series, kMostStretches));
  if (clock) {
    const double day = gain_of(rest, kDay), week = gain_of(rest, kWeek);
    if (day >= kLeastGain) best = {kDay, day};
    if (week >= kLeastGain && week >= day + kWeekOverDay) best = {kWeek, week};
  }
  if (best.period > 0) return best;
  // A short season is seen in the newest values alone, a long one in stretches of all.
  for (const Series& seen : {without_line(newest(series, kMostLags)), reduced(rest, kMostLags)}) {
    const auto lag = strongest_lag(seen.value);
    if (!lag) continue;
    const double spacing = span(seen) / static_cast<double>(seen.at.size() - 1);
    const double period = spacing * static_cast<double>(*lag);
    const double gain = gain_of(seen, period);
    if (gain >= kLeastGain && gain > best.gain) best = {period, gain};
  }
  return best;
}

}  // namespace nz::analysis
