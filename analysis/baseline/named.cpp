#include "analysis/baseline/named.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "analysis/robust.h"

namespace nz::analysis {
namespace {

using Key = std::pair<std::string, Labels>;

bool is_counter(const std::string& name) { return name.ends_with("_total"); }

void add_slice(NamedSeries& series, const WindowSeries& s, const Window& window) {
  if (s.histogram) {
    series.slices.push_back({window.from, window.to, s.histogram});
  } else if (!is_counter(s.name)) {
    series.values.push_back(s.value);
  } else if (window.seconds() > 0) {
    series.values.push_back(s.change / window.seconds());
  }
}

std::string unit_of(const std::string& name, bool rate) {
  if (rate) return "per second";
  for (const char* unit : {"seconds", "bytes", "ratio", "cores"}) {
    if (name.ends_with(unit)) return unit;
  }
  return "";
}

// Medians of few values each, by Student's t on their standard errors.
void compare_values(const NamedSeries& before, const NamedSeries& after,
                    const ShiftOptions& options, Comparison& c) {
  std::vector<double> b = before.values, a = after.values;
  std::erase_if(b, [](double v) { return !std::isfinite(v); });
  std::erase_if(a, [](double v) { return !std::isfinite(v); });
  if (b.empty() || a.empty()) return;
  c.before = robust::median(b);
  c.after = robust::median(a);
  if (b.size() < 3 || a.size() < 3) return;
  constexpr double kOfMedian = 1.2533;  // standard error against that of a mean
  const auto nb = static_cast<double>(b.size()), na = static_cast<double>(a.size());
  const double eb = kOfMedian * robust::sigma(b, c.before) / std::sqrt(nb);
  const double ea = kOfMedian * robust::sigma(a, c.after) / std::sqrt(na);
  const double difference = c.after - c.before;
  if (difference == 0) return;
  const double error = std::hypot(eb, ea);
  const double freedom = std::min(nb, na) - 1;
  const double p =
      error > 0 ? robust::two_sided_p(robust::normal_of_t(difference / error, freedom)) : 0;
  c.confidence = 1 - p;
  c.moved =
      p < options.alpha && std::fabs(difference) >= options.least_change * std::fabs(c.before);
}

Comparison compare_series(const NamedSeries& before, const NamedSeries& after,
                          const ShiftOptions& options) {
  Comparison c;
  const bool histogram = !before.slices.empty();
  const bool rate = !histogram && is_counter(before.name);
  c.of = {before.name, before.labels,
          histogram ? "p50"
          : rate    ? "rate"
                    : "value",
          unit_of(before.name, rate)};
  if (!histogram) {
    compare_values(before, after, options, c);
    return c;
  }
  c.before = merged(before.slices).quantile_interpolated(0.5);
  c.after = merged(after.slices).quantile_interpolated(0.5);
  c.shift = compare(before.slices, after.slices, options);
  c.confidence = c.shift.confidence;
  c.moved = !c.shift.moved.empty();
  return c;
}

// How far the furthest figure moved, as a factor either way.
double distance(const Comparison& c) {
  const auto factor = [](double before, double after) {
    return before > 0 && after > 0 ? std::fabs(std::log(after / before))
                                   : std::fabs(after - before);
  };
  double most = std::isfinite(c.before) && std::isfinite(c.after) ? factor(c.before, c.after) : 0;
  for (const QuantileShift& s : c.shift.moved) most = std::max(most, factor(s.before, s.after));
  return most;
}

}  // namespace

NamedBaseline baseline_of(std::string name, std::span<const Window> slices,
                          std::size_t most_series) {
  NamedBaseline baseline;
  baseline.name = std::move(name);
  if (slices.empty()) return baseline;
  baseline.from = slices.front().from;
  baseline.to = slices.back().to;
  std::map<Key, NamedSeries> all;
  std::map<Key, bool> refused;
  for (const Window& window : slices) {
    for (const WindowSeries& s : window.series) {
      const Key key{s.name, s.labels};
      auto at = all.find(key);
      if (at == all.end()) {
        if (all.size() >= most_series) {
          refused[key] = true;
          continue;
        }
        at = all.emplace(key, NamedSeries{s.name, s.labels, {}, {}}).first;
      }
      add_slice(at->second, s, window);
    }
  }
  for (auto& [key, series] : all) baseline.series.push_back(std::move(series));
  baseline.left_out = refused.size();
  return baseline;
}

std::vector<Comparison> compare(std::span<const Window> now, const NamedBaseline& baseline,
                                const ShiftOptions& options) {
  const NamedBaseline present = baseline_of("now", now);
  std::map<Key, const NamedSeries*> known;
  for (const NamedSeries& s : baseline.series) known[{s.name, s.labels}] = &s;
  std::vector<Comparison> all;
  for (const NamedSeries& after : present.series) {
    const auto before = known.find({after.name, after.labels});
    if (before == known.end()) continue;
    if (before->second->slices.empty() != after.slices.empty()) continue;  // changed its type
    all.push_back(compare_series(*before->second, after, options));
  }
  std::stable_sort(all.begin(), all.end(), [](const Comparison& a, const Comparison& b) {
    return a.moved != b.moved ? a.moved : distance(a) > distance(b);
  });
  return all;
}

}  // namespace nz::analysis
