#include "analysis/trend/theil_sen.h"

#include <cmath>
#include <limits>

#include "analysis/robust.h"

namespace nz::analysis {

PairSlopes pair_slopes(const Series& series) {
  PairSlopes slopes;
  const std::size_t n = series.at.size();
  slopes.reserve(n < 2 ? 0 : n * (n - 1) / 2);
  for (std::size_t i = 0; i < n; i++) {
    for (std::size_t j = i + 1; j < n; j++) {
      const double seconds = series.at[j] - series.at[i];
      if (seconds > 0) slopes.push_back((series.value[j] - series.value[i]) / seconds);
    }
  }
  return slopes;
}

PairSlopes pair_slopes(const Cycles& cycles) {
  PairSlopes slopes;
  for (std::size_t phase = 0; phase < cycles.phases; phase++) {
    for (std::size_t i = 0; i < cycles.cycles; i++) {
      const std::size_t a = cycles.index(i, phase);
      if (std::isnan(cycles.value[a])) continue;
      for (std::size_t j = i + 1; j < cycles.cycles; j++) {
        const std::size_t b = cycles.index(j, phase);
        if (std::isnan(cycles.value[b])) continue;
        // Whole periods apart, though one cell's values may sit at its beginning and the other's at
        // its end.
        const double seconds = static_cast<double>(j - i) * cycles.period;
        slopes.push_back((cycles.value[b] - cycles.value[a]) / seconds);
      }
    }
  }
  return slopes;
}

Slope theil_sen(PairSlopes& slopes, double variance, double z) {
  const auto n = static_cast<double>(slopes.size());
  Slope slope;
  slope.likeliest = robust::kth(slopes, slopes.size() / 2);
  if (slopes.size() % 2 == 0) {
    const double lower = robust::kth(slopes, slopes.size() / 2 - 1);
    slope.likeliest = lower + (slope.likeliest - lower) / 2;
  }
  const double c = z * std::sqrt(variance);
  // Ranks from 1: (N - C) / 2 from below and the same from above.
  const double rank = std::floor((n - c) / 2);
  if (rank < 1) {
    slope.least = -std::numeric_limits<double>::infinity();
    slope.most = std::numeric_limits<double>::infinity();
    return slope;
  }
  const auto outer = static_cast<std::size_t>(rank) - 1;
  slope.least = robust::kth(slopes, outer);
  slope.most = robust::kth(slopes, slopes.size() - 1 - outer);
  return slope;
}

}  // namespace nz::analysis
