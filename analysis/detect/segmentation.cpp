#include "analysis/detect/segmentation.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>
#include <utility>

namespace nz::analysis::detect {
namespace {

// A long stretch is searched at so many places first, then around the best one.
constexpr std::size_t kPlaces = 2048;
constexpr double kDecay = 0.70710678;  // of seeded intervals' lengths

struct Interval {
  std::size_t from, to;
};

}  // namespace

Stretches::Stretches(std::span<const double> values, const Noise& noise, std::size_t least)
    : noise_(noise), least_(std::max<std::size_t>(1, least)) {
  const std::size_t n = values.size();
  sum_.assign(n + 1, 0);
  exact_.assign(n + 1, 0);
  timed_.assign(n + 1, 0);
  variance_.assign(n + 1, 0);
  for (std::size_t i = 0; i < n; i++) {
    sum_[i + 1] = sum_[i] + values[i];
    exact_[i + 1] = exact_[i] + static_cast<long double>(values[i]);
    timed_[i + 1] = timed_[i] + static_cast<long double>(i) * static_cast<long double>(values[i]);
    variance_[i + 1] = variance_[i] + noise.variance(i);
  }
}

double Stretches::mean(std::size_t from, std::size_t to) const {
  return (sum_[to] - sum_[from]) / static_cast<double>(to - from);
}

double Stretches::energy(std::size_t from, std::size_t at, std::size_t to) const {
  const auto left = static_cast<double>(at - from), right = static_cast<double>(to - at);
  const double change = (sum_[to] - sum_[at]) / right - (sum_[at] - sum_[from]) / left;
  const double variance = (variance_[at] - variance_[from]) / (left * left) +
                          (variance_[to] - variance_[at]) / (right * right);
  return change * change / (variance * noise_.growth(std::min(at - from, to - at)));
}

double Stretches::explained(std::initializer_list<std::size_t> bounds) const {
  double sum = 0;
  std::size_t shortest = size();
  for (const std::size_t* b = bounds.begin(); b + 1 != bounds.end(); b++) {
    const double m = mean(b[0], b[1]);
    sum += static_cast<double>(b[1] - b[0]) * m * m;
    shortest = std::min(shortest, b[1] - b[0]);
  }
  const std::size_t from = *bounds.begin(), to = *(bounds.end() - 1);
  const double variance = (variance_[to] - variance_[from]) / static_cast<double>(to - from);
  return sum / (variance * noise_.growth(std::max<std::size_t>(1, shortest)));
}

// Sum of (t - mean t) * y.
double Stretches::slope_sum(std::size_t from, std::size_t to) const {
  const long double middle = static_cast<long double>(from + to - 1) / 2;
  return static_cast<double>(timed_[to] - timed_[from] - middle * (exact_[to] - exact_[from]));
}

double Stretches::energy_of_line(std::size_t from, std::size_t to) const {
  const auto n = static_cast<double>(to - from);
  const double tt = n * (n * n - 1) / 12;
  const double ty = slope_sum(from, to);
  const double variance = (variance_[to] - variance_[from]) / n;
  return ty * ty / (tt * variance * noise_.growth((to - from) / 2));
}

Split Stretches::beside_line(std::size_t from, std::size_t at, std::size_t to) const {
  const auto n = static_cast<double>(to - from), left = static_cast<double>(at - from),
             right = static_cast<double>(to - at);
  const double tt = n * (n * n - 1) / 12;
  const double ty = slope_sum(from, to);
  const double change = (sum_[to] - sum_[at]) / right - (sum_[at] - sum_[from]) / left;
  const double hh = left * right / n, ht = left * right / 2;
  const double free = hh - ht * ht / tt;
  if (free < 0.01 * hh) return {};
  const double jump = hh * change - ht * ty / tt;
  const double variance = (variance_[to] - variance_[from]) / n;
  const double noise = variance * noise_.growth(std::min(at - from, to - at));
  return {at, jump * jump / (free * noise), jump / free};
}

Split Stretches::strongest(std::size_t from, std::size_t to) const {
  if (to - from < 2 * least_) return {};
  const std::size_t first = from + least_, last = to - least_;
  const auto search = [&](auto measure) {
    Split most;
    const auto look = [&](std::size_t begin, std::size_t end, std::size_t stride) {
      for (std::size_t k = begin; k <= end; k += stride) {
        const double e = measure(k);
        if (e > most.energy) most = {k, e, 0};
      }
    };
    const std::size_t stride = std::max<std::size_t>(1, (last - first) / kPlaces);
    look(first, last, stride);
    if (stride > 1 && most.energy > 0) {
      look(most.at > first + stride ? most.at - stride : first, std::min(last, most.at + stride), 1);
    }
    return most;
  };
  Split best = search([&](std::size_t k) { return energy(from, k, to); });
  if (best.energy <= 0) return {};
  if (energy_of_line(from, to) <= best.energy) {
    best.size = mean(best.at, to) - mean(from, best.at);
    return best;
  }
  best = search([&](std::size_t k) { return beside_line(from, k, to).energy; });
  return best.energy > 0 ? beside_line(from, best.at, to) : best;
}

bool Stretches::sharp(std::size_t from, const Split& split, std::size_t to) const {
  const std::size_t side = std::min(split.at - from, to - split.at);
  // So many points on both sides show a step of this size at 4.5 standard errors.
  const double variance = (variance_[to] - variance_[from]) / static_cast<double>(to - from);
  const double asked =
      2 * 4.5 * 4.5 * variance * noise_.growth(side) / std::max(split.size * split.size, 1e-300);
  const auto near = static_cast<std::size_t>(
      std::clamp(asked, std::max(static_cast<double>(least_), static_cast<double>(side) / 8),
                 static_cast<double>(std::max(side, least_))));
  const double here = mean(split.at, std::min(split.at + near, to)) -
                      mean(split.at - std::min(near, split.at - from), split.at);
  return here * split.size > 0 && std::abs(here) >= 0.5 * std::abs(split.size);
}

Slope Stretches::slope(const std::vector<std::size_t>& points) const {
  double ty = 0, tt = 0;
  for (std::size_t i = 0; i <= points.size(); i++) {
    const std::size_t from = i > 0 ? points[i - 1] : 0;
    const std::size_t to = i < points.size() ? points[i] : size();
    const auto n = static_cast<double>(to - from);
    ty += slope_sum(from, to);
    tt += n * (n * n - 1) / 12;
  }
  if (tt <= 0) return {};
  const double variance = variance_.back() / static_cast<double>(size());
  return {ty / tt, ty * ty / (tt * variance * noise_.growth(size() / 2))};
}

std::vector<std::size_t> Stretches::strongest_of(std::vector<std::size_t> points,
                                                 std::size_t most) const {
  std::vector<std::pair<double, std::size_t>> by_energy;
  for (std::size_t i = 0; i < points.size(); i++) {
    const std::size_t from = i > 0 ? points[i - 1] : 0;
    const std::size_t to = i + 1 < points.size() ? points[i + 1] : size();
    by_energy.emplace_back(-energy(from, points[i], to), points[i]);
  }
  std::sort(by_energy.begin(), by_energy.end());
  points.clear();
  for (std::size_t i = 0; i < std::min(most, by_energy.size()); i++) {
    points.push_back(by_energy[i].second);
  }
  std::sort(points.begin(), points.end());
  return points;
}

std::pair<std::size_t, std::size_t> Stretches::place(std::size_t from, const Split& split,
                                                     std::size_t to) const {
  constexpr double kDrop = 7.35;  // of twice the log likelihood ratio
  const double plain = energy(from, split.at, to);
  const bool beside = energy_of_line(from, to) > plain;
  const auto at = [&](std::size_t k) {
    return beside ? beside_line(from, k, to).energy : energy(from, k, to);
  };
  const double least = at(split.at) - kDrop;
  const std::size_t stride = std::max<std::size_t>(1, (to - from) / kPlaces);
  std::size_t first = split.at, last = split.at;
  while (first > from + stride && at(first - stride) >= least) first -= stride;
  while (last + stride < to && at(last + stride) >= least) last += stride;
  return {first, last};
}

namespace {

// Lengths and places of the seeded intervals, one layer a call, shortest first.
std::vector<double> layer_lengths(std::size_t n, std::size_t least) {
  std::vector<double> lengths;
  for (auto length = static_cast<double>(n); length >= 2.0 * static_cast<double>(least);
       length *= kDecay) {
    lengths.push_back(length);
  }
  std::reverse(lengths.begin(), lengths.end());
  return lengths;
}

std::vector<Interval> layer(std::size_t n, double length) {
  const auto whole = static_cast<double>(n);
  const auto count = static_cast<std::size_t>(2 * std::ceil(whole / length - 1e-9)) - 1;
  std::vector<Interval> intervals;
  const double shift = count > 1 ? (whole - length) / static_cast<double>(count - 1) : 0;
  for (std::size_t i = 0; i < count; i++) {
    const double from = shift * static_cast<double>(i);
    const auto begin = static_cast<std::size_t>(from);
    const auto end = std::min(n, static_cast<std::size_t>(std::ceil(from + length)));
    intervals.push_back({begin, end});
  }
  return intervals;
}

// Every point at its best place between its neighbours, those without evidence there dropped.
class Pruning {
 public:
  Pruning(const Stretches& stretches, double energy) : stretches_(stretches), energy_(energy) {}

  std::vector<std::size_t> operator()(std::vector<std::size_t> points) const {
    for (int round = 0; round < 4; round++) {
      const std::vector<std::size_t> before = points;
      move(points);
      drop(points);
      join(points);
      if (points == before) break;
    }
    return points;
  }

 private:
  [[nodiscard]] std::size_t left(const std::vector<std::size_t>& points, std::size_t i) const {
    return i > 0 ? points[i - 1] : 0;
  }
  [[nodiscard]] std::size_t right(const std::vector<std::size_t>& points, std::size_t i) const {
    return i + 1 < points.size() ? points[i + 1] : stretches_.size();
  }

  void move(std::vector<std::size_t>& points) const {
    for (std::size_t i = 0; i < points.size(); i++) {
      const Split best = stretches_.strongest(left(points, i), right(points, i));
      if (best.energy > 0) points[i] = best.at;
    }
  }

  // Energy between the neighbours; 0 where it is no step.
  [[nodiscard]] double worth(std::size_t from, std::size_t to) const {
    const Split best = stretches_.strongest(from, to);
    return best.energy > 0 && stretches_.sharp(from, best, to) ? best.energy : 0;
  }

  // The weakest first: without it its neighbours may be enough.
  void drop(std::vector<std::size_t>& points) const {
    const std::size_t count = points.size();
    std::vector<double> energy(count);
    std::set<std::size_t> kept;
    std::set<std::pair<double, std::size_t>> by_energy;
    const auto weigh = [&](std::set<std::size_t>::iterator it) {
      const std::size_t from = it == kept.begin() ? 0 : points[*std::prev(it)];
      const std::size_t to = std::next(it) == kept.end() ? stretches_.size() : points[*std::next(it)];
      by_energy.erase({energy[*it], *it});
      energy[*it] = worth(from, to);
      by_energy.insert({energy[*it], *it});
    };
    for (std::size_t i = 0; i < count; i++) kept.insert(kept.end(), i);
    for (auto it = kept.begin(); it != kept.end(); ++it) weigh(it);
    while (!by_energy.empty() && by_energy.begin()->first < energy_) {
      const std::size_t weakest = by_energy.begin()->second;
      by_energy.erase(by_energy.begin());
      const auto next = kept.erase(kept.find(weakest));
      if (next != kept.end()) weigh(next);
      if (next != kept.begin()) weigh(std::prev(next));
    }
    std::vector<std::size_t> left;
    for (const std::size_t i : kept) left.push_back(points[i]);
    points = std::move(left);
  }

  // Two points so near each other that neither could move to the true place between them.
  void join(std::vector<std::size_t>& points) const {
    for (std::size_t i = 0; i + 1 < points.size();) {
      const std::size_t from = left(points, i), to = right(points, i + 1);
      const std::size_t gap = points[i + 1] - points[i];
      if (gap >= 3 * stretches_.least()) {
        i++;
        continue;
      }
      const Split one = stretches_.strongest(from, to);
      const double gain = stretches_.explained({from, points[i], points[i + 1], to}) -
                          stretches_.explained({from, one.at, to});
      if (one.energy < energy_ || gain >= energy_) {
        i++;
        continue;
      }
      points[i] = one.at;
      points.erase(points.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    }
  }

  const Stretches& stretches_;
  double energy_;
};

}  // namespace

std::vector<std::size_t> segment(const Stretches& stretches, std::size_t least, double energy) {
  const std::size_t n = stretches.size();
  std::set<std::size_t> found;
  for (const double length : layer_lengths(n, least)) {
    for (const Interval& interval : layer(n, length)) {
      const auto inside = found.upper_bound(interval.from);
      if (inside != found.end() && *inside < interval.to) continue;
      const Split best = stretches.strongest(interval.from, interval.to);
      if (best.energy >= energy) found.insert(best.at);
    }
  }
  return Pruning(stretches, energy)({found.begin(), found.end()});
}

}  // namespace nz::analysis::detect
