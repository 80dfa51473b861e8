#include "userspace/report/document/document.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace nz::report {

Text& Text::add(Span::Kind kind, std::string text) {
  if (text.empty()) return *this;
  if (!spans_.empty() && kind == Span::Kind::plain && spans_.back().kind == kind) {
    spans_.back().text += text;
  } else {
    spans_.push_back({kind, std::move(text)});
  }
  return *this;
}

Text& Text::append(const Text& other) {
  for (const Span& span : other.spans_) add(span.kind, span.text);
  return *this;
}

std::string Text::str() const {
  std::string all;
  for (const Span& span : spans_) all += span.text;
  return all;
}

std::vector<history::Point> thinned(const std::vector<history::Point>& points, std::size_t most) {
  if (points.size() <= most || most < 2) return points;
  std::vector<history::Point> result;
  const std::size_t stretches = most / 2;
  for (std::size_t i = 0; i < stretches; i++) {
    const std::size_t begin = points.size() * i / stretches;
    const std::size_t end = points.size() * (i + 1) / stretches;
    const history::Point* least = nullptr;
    const history::Point* largest = nullptr;
    for (std::size_t p = begin; p < end; p++) {
      const history::Point& point = points[p];
      if (!std::isfinite(point.value)) continue;
      if (least == nullptr || point.value < least->value) least = &point;
      if (largest == nullptr || point.value > largest->value) largest = &point;
    }
    if (least == nullptr) {
      result.push_back({points[begin].at, std::numeric_limits<double>::quiet_NaN()});
      continue;
    }
    result.push_back(
        std::min(*least, *largest, [](const auto& a, const auto& b) { return a.at < b.at; }));
    if (least != largest) {
      result.push_back(
          std::max(*least, *largest, [](const auto& a, const auto& b) { return a.at < b.at; }));
    }
  }
  return result;
}

}  // namespace nz::report
