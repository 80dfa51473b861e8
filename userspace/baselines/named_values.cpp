#include "userspace/baselines/named_values.h"

#include <spdlog/spdlog.h>

#include <cerrno>
#include <cmath>
#include <utility>
#include <vector>

#include "analysis/robust.h"
#include "userspace/alerts/measure.h"
#include "userspace/baselines/keys.h"
#include "userspace/baselines/named.h"

namespace nz::baselines {
namespace {

using alerts::BaselineValue;
using alerts::Statistic;
using Kind = alerts::Statistic::Kind;

constexpr std::size_t kMostAsked = 4096;   // some 0.4 KB each
constexpr std::size_t kLeastSlices = 3;    // fewer do not tell how they spread
constexpr int kForgetAfterRefreshes = 60;  // refreshes: an hour

struct Part {
  double seconds = 0;
  analysis::Histogram histogram;
};

std::optional<double> figure(const Part& part, const Statistic& statistic) {
  const auto n = static_cast<double>(part.histogram.count());
  if (statistic.kind == Kind::rate)
    return part.seconds > 0 ? std::optional(n / part.seconds) : std::nullopt;
  if (n == 0) return std::nullopt;
  if (statistic.kind == Kind::quantile) return part.histogram.quantile(statistic.quantile);
  if (statistic.kind == Kind::mean) return part.histogram.mean_seconds();
  return std::nullopt;  // of a window that it does not have
}

double spread_of(const std::vector<double>& values) {
  if (values.size() < kLeastSlices) return 0;
  return analysis::robust::sigma(values, analysis::robust::median(values));
}

std::optional<BaselineValue> of_histograms(const std::map<double, Part>& slices,
                                           const Statistic& statistic) {
  Part all;
  std::vector<double> values;
  for (const auto& [from, part] : slices) {
    all.seconds += part.seconds;
    all.histogram.merge(part.histogram);
    if (const auto value = figure(part, statistic)) values.push_back(*value);
  }
  const auto middle = figure(all, statistic);
  if (!middle) return std::nullopt;
  return BaselineValue{*middle, spread_of(values)};
}

}  // namespace

std::optional<BaselineValue> value_of(const analysis::NamedBaseline& baseline,
                                      const analysis::Quantity& of) {
  const auto statistic = alerts::parse_statistic(of.statistic);
  if (!statistic) return std::nullopt;
  const Kind of_numbers = of.name.ends_with("_total") ? Kind::rate : Kind::value;
  std::map<double, Part> slices;  // by begin: series of one group together
  double middle = 0, variance = 0;
  bool numbers = false;
  for (const analysis::NamedSeries& series : baseline.series) {
    if (series.name != of.name || !analysis::has_labels(series.labels, of.labels)) continue;
    for (const analysis::Slice& slice : series.slices) {
      if (!slice.histogram) continue;
      Part& part = slices[slice.from];
      part.seconds = slice.to - slice.from;
      part.histogram.merge(*slice.histogram);
    }
    if (series.values.empty() || statistic->kind != of_numbers) continue;
    std::vector<double> values = series.values;
    std::erase_if(values, [](double v) { return !std::isfinite(v); });
    if (values.empty()) continue;
    middle += analysis::robust::median(values);
    variance += std::pow(spread_of(values), 2);
    numbers = true;
  }
  if (!slices.empty()) return of_histograms(slices, *statistic);
  if (!numbers) return std::nullopt;
  return BaselineValue{middle, std::sqrt(variance)};
}

std::optional<BaselineValue> NamedValues::value(const analysis::Quantity& of,
                                                const std::string& name) {
  std::string key = analysis::text_of(of);
  const std::lock_guard lock(mutex_);
  Known& known = by_name_[name];
  const auto found = known.asked.find(key);
  if (found != known.asked.end()) {
    found->second.quiet = 0;
    return found->second.value;
  }
  if (asked_ >= kMostAsked) {
    dropped_++;
    return std::nullopt;
  }
  asked_++;
  known.asked.emplace(std::move(key), Asked{of, false, 0, std::nullopt});
  return std::nullopt;
}

void NamedValues::refresh() {
  std::vector<std::string> names;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [name, known] : by_name_) {
      names.push_back(name);
      for (auto& [key, asked] : known.asked) asked.quiet++;
      asked_ -= std::erase_if(
          known.asked, [](const auto& one) { return one.second.quiet > kForgetAfterRefreshes; });
    }
  }
  for (const std::string& name : names) refresh(name);
}

void NamedValues::refresh(const std::string& name) {
  const auto head = store_.find_state(head_key(name));
  if (!head) return;  // what was known stays; the store has counted it
  const std::string text = head->value_or(std::string());
  std::vector<std::pair<std::string, analysis::Quantity>> wanted;
  {
    const std::lock_guard lock(mutex_);
    Known& known = by_name_[name];
    const bool anew = known.head != text;
    for (auto& [key, asked] : known.asked) {
      if (text.empty()) asked.value.reset();
      if (anew || !asked.looked_up) wanted.emplace_back(key, asked.of);
    }
  }
  if (text.empty()) {
    const std::lock_guard lock(mutex_);
    by_name_[name].head.clear();
    return;
  }
  if (wanted.empty()) return;
  const auto body = store_.find_state(body_key(name));
  if (!body) return;
  const auto baseline = *body ? analysis::baseline_from(**body) : std::nullopt;
  if (!baseline) spdlog::warn("the baseline '{}' is damaged: rules do without it", name);
  std::vector<std::optional<BaselineValue>> values;
  for (const auto& [key, of] : wanted)
    values.push_back(baseline ? value_of(*baseline, of) : std::nullopt);
  const std::lock_guard lock(mutex_);
  Known& known = by_name_[name];
  known.head = text;
  if (!baseline) errors_++;
  for (std::size_t i = 0; i < wanted.size(); i++) {
    Asked& asked = known.asked.at(wanted[i].first);
    asked.looked_up = true;
    asked.value = values[i];
  }
}

StoredValues::Known& StoredValues::known(const std::string& name) {
  const auto [found, fresh] = by_name_.try_emplace(name);
  if (!fresh) return found->second;
  auto baseline = find(reader_, name);
  if (baseline) {
    found->second.baseline = std::move(*baseline);
  } else if (baseline.error().code != ENOENT) {
    problems_.push_back(baseline.error().text());
  }
  return found->second;
}

std::optional<BaselineValue> StoredValues::value(const analysis::Quantity& of,
                                                 const std::string& name) {
  Known& of_name = known(name);
  if (!of_name.baseline) return std::nullopt;
  const auto [found, fresh] = of_name.values.try_emplace(analysis::text_of(of));
  if (fresh) found->second = value_of(*of_name.baseline, of);
  return found->second;
}

}  // namespace nz::baselines
