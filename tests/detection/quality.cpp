#include "tests/detection/quality.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "analysis/detect/change_points.h"
#include "analysis/detect/step_detector.h"
#include "tests/detection/peers.h"

namespace nz::test {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr double kMonth = 28 * 86'400.0;
// Of E-divisive online: how much it looks at, and how near two change points are the same.
constexpr std::size_t kLast = 200, kNear = 30;

// Mean precision over thresholds, weighted by what they add to recall; labels may be parts.
double precision_area(std::span<const double> score, std::span<const double> label) {
  std::vector<std::size_t> order(score.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return score[a] > score[b]; });
  const double all = std::accumulate(label.begin(), label.end(), 0.0);
  double hits = 0, area = 0;
  for (std::size_t i = 0; i < order.size();) {
    const double before = hits;
    const double tied = score[order[i]];
    while (i < order.size() && score[order[i]] == tied) hits += label[order[i++]];
    area += (hits - before) / all * hits / static_cast<double>(i);
  }
  return all > 0 ? area : kNone;
}

// Change points of the last points before `now`.
std::vector<std::size_t> e_divisive_of_last(const LabelledSeries& series, double p,
                                            std::size_t now) {
  EDivisiveOptions options;
  options.p = p;
  const std::size_t begin = now > kLast ? now - kLast : 0;
  std::vector<std::size_t> found =
      e_divisive(std::span(series.value).subspan(begin, now - begin), options);
  for (std::size_t& index : found) index += begin;
  return found;
}

}  // namespace

void Tally::add(const Tally& other) {
  series += other.series;
  steps += other.steps;
  hits += other.hits;
  false_alarms += other.false_alarms;
  months += other.months;
  errors.insert(errors.end(), other.errors.begin(), other.errors.end());
  delays.insert(delays.end(), other.delays.begin(), other.delays.end());
}

double Tally::recall() const {
  return steps > 0 ? static_cast<double>(hits) / static_cast<double>(steps) : kNone;
}
double Tally::precision() const {
  return hits + false_alarms > 0
             ? static_cast<double>(hits) / static_cast<double>(hits + false_alarms)
             : kNone;
}
double Tally::f1() const {
  if (steps == 0) return kNone;
  return 2 * static_cast<double>(hits) / static_cast<double>(steps + hits + false_alarms);
}
double Tally::false_per_month() const {
  return months > 0 ? static_cast<double>(false_alarms) / months : kNone;
}

double median_of(std::vector<double> values) {
  if (values.empty()) return kNone;
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

Tally count(const LabelledSeries& series, const std::vector<Told>& told, std::size_t tolerance) {
  Tally t;
  t.series = 1;
  t.months = static_cast<double>(series.spec.points) * series.spec.seconds / kMonth;
  const std::size_t step = series.spec.step_at;
  t.steps = step > 0 ? 1 : 0;
  for (const Told& one : told) {
    const std::size_t off = one.index > step ? one.index - step : step - one.index;
    if (step > 0 && t.hits == 0 && off <= tolerance && one.when >= step) {
      t.hits = 1;
      t.errors.push_back(static_cast<double>(off) * series.spec.seconds);
      t.delays.push_back(static_cast<double>(one.when - step) * series.spec.seconds);
    } else {
      t.false_alarms++;
    }
  }
  return t;
}

std::vector<Told> told_offline(const LabelledSeries& series) {
  std::vector<Told> told;
  for (const analysis::ChangePoint& c : analysis::change_points(series.value)) {
    told.push_back({c.index, series.value.size()});
  }
  return told;
}

std::vector<Told> told_online(const LabelledSeries& series) {
  analysis::StepDetector detector;
  std::vector<Told> told;
  for (std::size_t i = 0; i < series.value.size(); i++) {
    if (const auto c = detector.add(series.at[i], series.value[i])) told.push_back({c->index, i});
  }
  return told;
}

std::vector<Told> told_by_e_divisive(const LabelledSeries& series, double p) {
  std::vector<Told> told;
  EDivisiveOptions options;
  options.p = p;
  for (const std::size_t i : e_divisive(series.value, options)) {
    told.push_back({i, series.value.size()});
  }
  return told;
}

std::vector<Told> told_by_hourly_e_divisive(const LabelledSeries& series, double p) {
  const auto hour = static_cast<std::size_t>(3600 / series.spec.seconds);
  std::vector<double> hourly;
  for (std::size_t from = 0; from < series.value.size(); from += hour) {
    std::vector<double> values;
    for (std::size_t i = from; i < std::min(series.value.size(), from + hour); i++) {
      if (!std::isnan(series.value[i])) values.push_back(series.value[i]);
    }
    hourly.push_back(median_of(values));
  }
  EDivisiveOptions options;
  options.p = p;
  std::vector<Told> told;
  for (const std::size_t i : e_divisive(hourly, options)) {
    told.push_back({i * hour, series.value.size()});
  }
  return told;
}

std::vector<Told> told_by_e_divisive_online(const LabelledSeries& series, double p,
                                            std::size_t every, std::size_t from) {
  if (series.spec.step_at == 0) return {};
  const auto day = static_cast<std::size_t>(86'400 / series.spec.seconds);
  const std::size_t end = std::min(series.value.size(), from + day);
  for (std::size_t now = from + 1; now < end; now += every) {
    for (const std::size_t index : e_divisive_of_last(series, p, now)) {
      if (index + kNear >= from && index <= from + kNear) return {{index, now - 1}};
    }
  }
  return {};
}

std::vector<Told> told_by_e_divisive_always(const LabelledSeries& series, double p,
                                            std::size_t every) {
  std::vector<Told> told;
  for (std::size_t now = every; now < series.value.size(); now += every) {
    for (const std::size_t index : e_divisive_of_last(series, p, now)) {
      const bool known = std::any_of(told.begin(), told.end(), [&](const Told& one) {
        return index + kNear >= one.index && index <= one.index + kNear;
      });
      if (!known) told.push_back({index, now - 1});
    }
  }
  return told;
}

double area_under_roc(std::span<const double> score, std::span<const int> label) {
  std::vector<std::size_t> order(score.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return score[a] < score[b]; });
  double below = 0, positive = 0, pairs = 0;
  for (std::size_t i = 0; i < order.size();) {
    const double tied = score[order[i]];
    double zeros = 0, ones = 0;
    for (; i < order.size() && score[order[i]] == tied; i++) {
      (label[order[i]] != 0 ? ones : zeros) += 1;
    }
    pairs += ones * (below + zeros / 2);
    below += zeros;
    positive += ones;
  }
  return below > 0 && positive > 0 ? pairs / (below * positive) : kNone;
}

double average_precision(std::span<const double> score, std::span<const int> label) {
  const std::vector<double> whole(label.begin(), label.end());
  return precision_area(score, whole);
}

double volume_under_pr(std::span<const double> score, std::span<const int> label,
                       std::size_t reach) {
  constexpr std::size_t kWidths = 5;
  double sum = 0;
  for (std::size_t w = 0; w < kWidths; w++) {
    const std::size_t width = reach * w / (kWidths - 1);
    std::vector<double> soft(label.begin(), label.end());
    for (std::size_t i = 0; i < label.size(); i++) {
      const bool edge = label[i] != 0 && (i == 0 || label[i - 1] == 0);
      const bool last = label[i] != 0 && (i + 1 == label.size() || label[i + 1] == 0);
      for (std::size_t d = 1; d <= width; d++) {
        const double part = std::sqrt(1 - static_cast<double>(d) / static_cast<double>(width + 1));
        if (edge && i >= d) soft[i - d] = std::max(soft[i - d], part);
        if (last && i + d < soft.size()) soft[i + d] = std::max(soft[i + d], part);
      }
    }
    sum += precision_area(score, soft);
  }
  return sum / static_cast<double>(kWidths);
}

}  // namespace nz::test
