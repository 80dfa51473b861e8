#include "analysis/trend/stretches.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/robust.h"

namespace nz::analysis {
namespace {

// Values that follow each other and have the same key, as one.
template <class Key, class Take>
void grouped(const Series& series, const Key& key, const Take& take) {
  std::vector<double> values;
  for (std::size_t i = 0; i < series.at.size();) {
    const double group = key(series.at[i]);
    double offset = 0;  // from the first: a sum of Unix times would lose digits
    const double first = series.at[i];
    values.clear();
    for (; i < series.at.size() && key(series.at[i]) == group; i++) {
      values.push_back(series.value[i]);
      offset += series.at[i] - first;
    }
    const auto n = static_cast<double>(values.size());
    take(group, first + offset / n, robust::median(values));
  }
}

}  // namespace

Series finite(const Series& series) {
  Series kept;
  kept.at.reserve(series.at.size());
  kept.value.reserve(series.at.size());
  for (std::size_t i = 0; i < series.at.size(); i++) {
    if (!std::isfinite(series.value[i]) || !std::isfinite(series.at[i])) continue;
    kept.at.push_back(series.at[i]);
    kept.value.push_back(series.value[i]);
  }
  const auto twice = std::adjacent_find(kept.at.begin(), kept.at.end());
  if (twice == kept.at.end()) return kept;
  Series merged;
  grouped(
      kept, [](double at) { return at; },
      [&](double /*group*/, double at, double value) {
        merged.at.push_back(at);
        merged.value.push_back(value);
      });
  return merged;
}

Series stretches(const Series& series, double origin, double length) {
  Series out;
  grouped(
      series, [&](double at) { return std::floor((at - origin) / length); },
      [&](double /*group*/, double at, double value) {
        out.at.push_back(at);
        out.value.push_back(value);
      });
  return out;
}

Cycles fold(const Series& series, double period, std::size_t phases, std::size_t most_cycles) {
  Cycles out;
  out.period = period;
  out.phases = phases;
  const double step = period / static_cast<double>(phases);
  // Phases of a clock's period begin at midnight (or Monday's), not where the data happens to.
  const double last = std::floor(series.at.back() / period);
  const double first =
      std::max(std::floor(series.at.front() / period), last - static_cast<double>(most_cycles) + 1);
  out.cycles = static_cast<std::size_t>(last - first) + 1;
  const double origin = first * period;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  out.at.assign(out.cycles * phases, nan);
  out.value.assign(out.cycles * phases, nan);
  grouped(
      series, [&](double at) { return std::floor((at - origin) / step); },
      [&](double group, double at, double value) {
        if (group < 0 || group >= static_cast<double>(out.value.size())) return;
        const auto cell = static_cast<std::size_t>(group);
        out.at[cell] = at;
        out.value[cell] = value;
      });
  return out;
}

}  // namespace nz::analysis
