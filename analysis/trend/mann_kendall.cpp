#include "analysis/trend/mann_kendall.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "analysis/robust.h"

namespace nz::analysis {
namespace {

double sign(double x) { return x > 0 ? 1 : x < 0 ? -1 : 0; }

double sum_of_signs(const std::vector<double>& values) {
  double s = 0;
  for (std::size_t i = 0; i < values.size(); i++) {
    for (std::size_t j = i + 1; j < values.size(); j++) s += sign(values[j] - values[i]);
  }
  return s;
}

double variance_with_ties(std::vector<double> values) {
  const auto term = [](double n) { return n * (n - 1) * (2 * n + 5); };
  std::sort(values.begin(), values.end());
  double variance = term(static_cast<double>(values.size()));
  for (auto at = values.begin(); at != values.end();) {
    const auto end = std::upper_bound(at, values.end(), *at);
    variance -= term(static_cast<double>(end - at));
    at = end;
  }
  return variance / 18;
}

// From 1; equal values share the mean of their ranks.
std::vector<double> ranks(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> rank(values.size());
  for (std::size_t i = 0; i < order.size();) {
    std::size_t end = i + 1;
    while (end < order.size() && values[order[end]] == values[order[i]]) end++;
    for (std::size_t k = i; k < end; k++) rank[order[k]] = static_cast<double>(i + end + 1) / 2;
    i = end;
  }
  return rank;
}

// n / n* - 1 where correlation(lag) is what is left of a value after so many others.
template <class Correlation>
double added(double n, std::size_t lags, const Correlation& correlation) {
  double sum = 0;
  for (std::size_t lag = 1; lag <= lags; lag++) {
    const double left = n - static_cast<double>(lag);
    sum += left * (left - 1) * (left - 2) * correlation(lag);
  }
  return 2 * sum / (n * (n - 1) * (n - 2));
}

// n / n*, at least 1: by how much autocorrelation widens the variance of S.
double widening(const Series& series, double slope) {
  std::vector<double> rest(series.value.size());
  for (std::size_t i = 0; i < rest.size(); i++)
    rest[i] = series.value[i] - slope * (series.at[i] - series.at.front());
  std::vector<double> rank = ranks(rest);
  const auto n = static_cast<double>(rank.size());
  for (double& r : rank) r -= (n + 1) / 2;
  const double power = std::inner_product(rank.begin(), rank.end(), rank.begin(), 0.0);
  if (power <= 0 || n < 4) return 1;
  const auto correlation = [&](std::size_t lag) {
    return std::inner_product(rank.begin() + static_cast<std::ptrdiff_t>(lag), rank.end(),
                              rank.begin(), 0.0) /
           power;
  };
  const double noise = robust::kNormal95 / std::sqrt(n);
  const double observed = added(n, rank.size() / 4, [&](std::size_t lag) {
    const double c = correlation(lag);
    return std::fabs(c) > noise ? c : 0;
  });
  // Estimates of a detrended series are too small by (2 + 4 phi) / n (Marriott & Pope 1954, Kendall
  // 1954), and the lags that are lost in noise are not zero: an autoregression of order 1 has them.
  const double first = correlation(1);
  if (first <= noise) return std::max(1.0, 1 + observed);
  const double phi = std::min(0.99, first + (2 + 4 * first) / n);
  const double modelled = added(
      n, rank.size() - 3, [&](std::size_t lag) { return std::pow(phi, static_cast<double>(lag)); });
  return std::max(1.0, 1 + std::max(observed, modelled));
}

double p_value(double s, double variance) {
  if (variance <= 0 || s == 0) return 1;
  return robust::two_sided_p((std::fabs(s) - 1) / std::sqrt(variance));
}

std::vector<double> phase_of(const Cycles& cycles, std::size_t phase) {
  std::vector<double> values(cycles.cycles);
  for (std::size_t c = 0; c < cycles.cycles; c++) values[c] = cycles.value[cycles.index(c, phase)];
  return values;
}

// With NaN where nothing was measured: sign() of it is 0, as the estimator wants.
double covariance(const std::vector<double>& g, const std::vector<double>& g_rank,
                  const std::vector<double>& h, const std::vector<double>& h_rank, double g_count,
                  double h_count) {
  double concordance = 0, product = 0;
  for (std::size_t i = 0; i < g.size(); i++) {
    product += g_rank[i] * h_rank[i];
    for (std::size_t j = i + 1; j < g.size(); j++)
      concordance += sign(g[j] - g[i]) * sign(h[j] - h[i]);
  }
  const auto n = static_cast<double>(g.size());
  return (concordance + 4 * product - n * (g_count + 1) * (h_count + 1)) / 3;
}

struct Phase {
  std::vector<double> rest;  // less the slope
  std::vector<double> rank;  // missing ones have the middle rank
  double count = 0;
};

Phase detrended(const Cycles& cycles, std::size_t phase, double slope) {
  Phase p;
  p.rest = phase_of(cycles, phase);
  for (std::size_t c = 0; c < p.rest.size(); c++) {
    p.rest[c] -= slope * cycles.period * static_cast<double>(c);
    if (!std::isnan(p.rest[c])) p.count++;
  }
  p.rank.assign(p.rest.size(), (p.count + 1) / 2);
  for (std::size_t i = 0; i < p.rest.size(); i++) {
    for (const double other : p.rest) p.rank[i] += sign(p.rest[i] - other) / 2;
  }
  return p;
}

}  // namespace

MannKendall mann_kendall(const Series& series, double slope) {
  MannKendall result;
  const auto n = static_cast<double>(series.value.size());
  result.s = sum_of_signs(series.value);
  result.pairs = n * (n - 1) / 2;
  result.variance = variance_with_ties(series.value);
  if (series.value.size() >= 4) result.variance *= widening(series, slope);
  result.p = p_value(result.s, result.variance);
  return result;
}

MannKendall mann_kendall(const Cycles& cycles, double slope) {
  MannKendall result;
  std::vector<Phase> phases;
  for (std::size_t phase = 0; phase < cycles.phases; phase++) {
    std::vector<double> values = phase_of(cycles, phase);
    std::erase_if(values, [](double v) { return std::isnan(v); });
    const auto n = static_cast<double>(values.size());
    result.s += sum_of_signs(values);
    result.pairs += n * (n - 1) / 2;
    result.variance += variance_with_ties(std::move(values));
    phases.push_back(detrended(cycles, phase, slope));
  }
  double shared = 0;
  for (std::size_t g = 0; g < phases.size(); g++) {
    for (std::size_t h = g + 1; h < phases.size(); h++) {
      shared += 2 * covariance(phases[g].rest, phases[g].rank, phases[h].rest, phases[h].rank,
                               phases[g].count, phases[h].count);
    }
  }
  result.variance += std::max(0.0, shared);
  result.p = p_value(result.s, result.variance);
  return result;
}

}  // namespace nz::analysis
