#include "userspace/alerts/measure.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>

#include "userspace/alerts/amount.h"
#include "userspace/alerts/catalog.h"
#include "userspace/metrics/unit.h"

namespace nz::alerts {
namespace {

using Kind = Statistic::Kind;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

struct Name {
  std::string_view text;
  Kind kind;
};
constexpr std::array kNames = {Name{"value", Kind::value},       Name{"min", Kind::least},
                               Name{"max", Kind::most},          Name{"rate", Kind::rate},
                               Name{"increase", Kind::increase}, Name{"mean", Kind::mean}};

bool is_of_histograms(Kind kind) { return kind == Kind::mean || kind == Kind::quantile; }
bool is_growth(Kind kind) { return kind == Kind::rate || kind == Kind::increase; }

/// What the series of a group add up to.
struct Sum {
  double value = 0, least = std::numeric_limits<double>::infinity(),
         most = -std::numeric_limits<double>::infinity(), change = 0;
  bool is_histogram = false;
  analysis::Histogram histogram;

  void add(const analysis::WindowSeries& series) {
    if (series.histogram) {
      is_histogram = true;
      histogram.merge(*series.histogram);
      return;
    }
    value += series.value;
    change += series.change;
    least = std::min(least, series.least);
    most = std::max(most, series.most);
  }

  [[nodiscard]] double weight() const {
    return is_histogram ? static_cast<double>(histogram.count()) : change;
  }

  [[nodiscard]] double figure(const Statistic& statistic, double seconds) const {
    switch (statistic.kind) {
      case Kind::value:
        return is_histogram ? kNaN : value;
      case Kind::least:
        if (!is_histogram) return least;
        return histogram.count() == 0 ? kNaN : static_cast<double>(histogram.min_ns) / 1e9;
      case Kind::most:
        if (!is_histogram) return most;
        return histogram.count() == 0 ? kNaN : static_cast<double>(histogram.max_ns) / 1e9;
      case Kind::rate:
        return seconds > 0 ? weight() / seconds : kNaN;
      case Kind::increase:
        return weight();
      case Kind::mean:
        return is_histogram ? histogram.mean_seconds() : kNaN;
      case Kind::quantile:
        return is_histogram ? histogram.quantile(statistic.quantile) : kNaN;
    }
    return kNaN;
  }
};

}  // namespace

std::optional<Statistic> parse_statistic(std::string_view text) {
  for (const Name& name : kNames) {
    if (name.text == text) return Statistic{name.kind, 0};
  }
  if (!text.starts_with('p')) return std::nullopt;
  text.remove_prefix(1);
  double percent = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), percent, std::chars_format::fixed);
  if (error != std::errc() || end != text.data() + text.size() || !(percent >= 0) || percent > 100)
    return std::nullopt;
  return Statistic{Kind::quantile, percent / 100};
}

std::string text_of(const Statistic& statistic) {
  for (const Name& name : kNames) {
    if (name.kind == statistic.kind) return std::string(name.text);
  }
  // Three decimals of a percent are enough for p99.999, and hide what binary makes of 99.9 / 100.
  std::string digits = std::to_string(std::round(statistic.quantile * 1e5) / 1e3);
  while (digits.back() == '0') digits.pop_back();
  if (digits.back() == '.') digits.pop_back();
  return "p" + digits;
}

std::optional<std::string> misfit(const Statistic& statistic, metrics::Type type) {
  switch (type) {
    case metrics::Type::histogram:
      if (statistic.kind != Kind::value) return std::nullopt;
      return "a histogram has no single value: take p50, p99, mean, max, rate or increase";
    case metrics::Type::counter:
      if (is_growth(statistic.kind)) return std::nullopt;
      return is_of_histograms(statistic.kind)
                 ? "a counter has no distribution: take rate or increase"
                 : "a counter only grows: take rate or increase";
    case metrics::Type::gauge:
      if (!is_of_histograms(statistic.kind) && !is_growth(statistic.kind)) return std::nullopt;
      return "a gauge has value, min and max";
  }
  return std::nullopt;
}

std::string Measure::unit() const {
  const CatalogEntry* entry = find_family(series.name);
  const auto type = entry != nullptr                   ? entry->type
                    : is_of_histograms(statistic.kind) ? metrics::Type::histogram
                    : series.name.ends_with("_total")  ? metrics::Type::counter
                                                       : metrics::Type::gauge;
  if (statistic.kind == Kind::rate) return metrics::rate_unit(series.name, type);
  if (statistic.kind == Kind::increase && type == metrics::Type::histogram) return "";
  return metrics::unit(series.name);
}

std::string Measure::text() const {
  std::string out = text_of(statistic) + " of " + series.text();
  return statistic.kind == Kind::value ? out : out + " over " + time_text(window);
}

std::vector<const analysis::WindowSeries*> select(const Selector& selector,
                                                  const analysis::Window& window) {
  std::vector<const analysis::WindowSeries*> found;
  for (const analysis::WindowSeries& series : window.series) {
    if (selector.matches(series.name, series.labels)) found.push_back(&series);
  }
  return found;
}

analysis::Labels group_labels(const analysis::Labels& labels, const std::vector<std::string>& by,
                              bool each) {
  analysis::Labels group;
  if (each) {
    group = labels;
  } else {
    for (const std::string& label : by) {
      const std::string_view value = value_of(labels, label);
      if (!value.empty()) group.emplace_back(label, value);
    }
  }
  std::sort(group.begin(), group.end());
  return group;
}

std::vector<Figure> measure(const Measure& what, const analysis::Window& window) {
  std::map<analysis::Labels, Sum> sums;
  for (const analysis::WindowSeries* series : select(what.series, window))
    sums[group_labels(series->labels, what.by, what.each)].add(*series);
  std::vector<Figure> figures;
  figures.reserve(sums.size());
  for (const auto& [labels, sum] : sums)
    figures.push_back({labels, sum.figure(what.statistic, window.seconds()), sum.weight()});
  return figures;
}

}  // namespace nz::alerts
