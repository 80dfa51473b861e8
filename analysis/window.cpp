#include "analysis/window.h"

#include <algorithm>
#include <set>

namespace nz::analysis {

bool has_labels(const Labels& labels, const Labels& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& pair) {
    return std::find(labels.begin(), labels.end(), pair) != labels.end();
  });
}

std::vector<const WindowSeries*> Window::find(std::string_view name, const Labels& labels) const {
  std::vector<const WindowSeries*> found;
  for (const WindowSeries& s : series) {
    if (s.name == name && has_labels(s.labels, labels)) found.push_back(&s);
  }
  return found;
}

double Window::change(std::string_view name, const Labels& labels) const {
  double sum = 0;
  for (const WindowSeries* s : find(name, labels)) sum += s->change;
  return sum;
}

std::optional<double> Window::value(std::string_view name, const Labels& labels) const {
  std::optional<double> sum;
  for (const WindowSeries* s : find(name, labels)) sum = sum.value_or(0) + s->value;
  return sum;
}

Histogram Window::histogram(std::string_view name, const Labels& labels) const {
  Histogram merged;
  for (const WindowSeries* s : find(name, labels)) {
    if (s->histogram) merged.merge(*s->histogram);
  }
  return merged;
}

std::vector<std::string> Window::values_of(std::string_view name, std::string_view key) const {
  std::set<std::string> values;
  for (const WindowSeries* s : find(name)) {
    for (const auto& [label, value] : s->labels) {
      if (label == key) values.insert(value);
    }
  }
  return {values.begin(), values.end()};
}

}  // namespace nz::analysis
