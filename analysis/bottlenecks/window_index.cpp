#include "analysis/bottlenecks/window_index.h"

#include <algorithm>
#include <set>

namespace nz::analysis {

WindowIndex::WindowIndex(const Window& window) : window_(window) {
  for (const WindowSeries& s : window.series) {
    families_[s.name].push_back(&s);
    for (const auto& [label, value] : s.labels) {
      if (label == "target") by_target_[s.name][value].push_back(&s);
    }
  }
}

const WindowIndex::List& WindowIndex::candidates(std::string_view name,
                                                 const Labels& labels) const {
  static const List kNone;
  for (const auto& [label, value] : labels) {
    if (label != "target") continue;
    const auto family = by_target_.find(name);
    if (family == by_target_.end()) return kNone;
    const auto list = family->second.find(value);
    return list == family->second.end() ? kNone : list->second;
  }
  const auto family = families_.find(name);
  return family == families_.end() ? kNone : family->second;
}

std::vector<const WindowSeries*> WindowIndex::find(std::string_view name,
                                                   const Labels& labels) const {
  std::vector<const WindowSeries*> found;
  for (const WindowSeries* s : candidates(name, labels)) {
    if (has_labels(s->labels, labels)) found.push_back(s);
  }
  return found;
}

bool WindowIndex::has(std::string_view name, const Labels& labels) const {
  return !find(name, labels).empty();
}

double WindowIndex::change(std::string_view name, const Labels& labels) const {
  double sum = 0;
  for (const WindowSeries* s : find(name, labels)) sum += s->change;
  return sum;
}

double WindowIndex::rate(std::string_view name, const Labels& labels) const {
  return seconds() > 0 ? change(name, labels) / seconds() : 0;
}

std::optional<double> WindowIndex::value(std::string_view name, const Labels& labels) const {
  std::optional<double> sum;
  for (const WindowSeries* s : find(name, labels)) sum = sum.value_or(0) + s->value;
  return sum;
}

Histogram WindowIndex::histogram(std::string_view name, const Labels& labels) const {
  Histogram merged;
  for (const WindowSeries* s : find(name, labels)) {
    if (s->histogram) merged.merge(*s->histogram);
  }
  return merged;
}

double WindowIndex::sum_seconds(std::string_view name, const Labels& labels) const {
  double sum = 0;
  for (const WindowSeries* s : find(name, labels)) {
    if (s->histogram) sum += static_cast<double>(s->histogram->sum_ns) / 1e9;
  }
  return sum;
}

double WindowIndex::count(std::string_view name, const Labels& labels) const {
  double sum = 0;
  for (const WindowSeries* s : find(name, labels)) {
    if (s->histogram) sum += static_cast<double>(s->histogram->count());
  }
  return sum;
}

std::vector<std::string> WindowIndex::values_of(std::string_view name, std::string_view key) const {
  std::set<std::string> values;
  for (const WindowSeries* s : find(name)) {
    for (const auto& [label, value] : s->labels) {
      if (label == key) values.insert(value);
    }
  }
  return {values.begin(), values.end()};
}

double WindowIndex::observed(std::string_view probe, std::string_view target) const {
  const Labels labels{{"probe", std::string(probe)}, {"target", std::string(target)}};
  const double seen = change("nearzero_probe_observed_seconds_total", labels);
  // More than the window cannot be: two points of one series need not be of the same instant.
  return seen > 0 ? std::min(seen, seconds()) : seconds();
}

std::string label_of(const WindowSeries& series, std::string_view key) {
  for (const auto& [label, value] : series.labels) {
    if (label == key) return value;
  }
  return {};
}

}  // namespace nz::analysis
