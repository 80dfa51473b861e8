// Conditions on figures of a window.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>

#include "analysis/text.h"
#include "nearzero/hist_layout.h"
#include "userspace/alerts/alert.h"
#include "userspace/alerts/amount.h"
#include "userspace/alerts/judge_parts.h"

namespace nz::alerts {
namespace {

Verdict not_covered(const analysis::Window& window, double wanted) {
  Verdict verdict;
  verdict.known = false;
  verdict.unknown = fmt::format("history covers {} of the last {}",
                                analysis::seconds_text(window.seconds()), time_text(wanted));
  return verdict;
}

/// The window of a measure, when it is long enough to judge by.
const analysis::Window* usable(const Judging& with, double seconds, Verdict& verdict,
                               double share = 0.5) {
  const analysis::Window& window = with.windows.get(seconds);
  if (with.windows.covers(window, seconds, share)) return &window;
  verdict = not_covered(window, seconds);
  return nullptr;
}

Observation unknown(const analysis::Labels& labels) {
  Observation o;
  o.key = key_of(labels);
  o.known = false;
  o.labels = labels;
  return o;
}

Observation holds(const Rule& rule, const analysis::Labels& labels, double value,
                  const std::string& unit) {
  Observation o;
  o.key = key_of(labels);
  o.labels = labels;
  o.severity = rule.severity;
  o.value = value;
  o.unit = unit;
  o.fields["value"] = value_text(value, unit);
  return o;
}

std::string limit_text(const Bound& bound, const std::string& unit) {
  return (bound.above ? "above " : "below ") + value_text(bound.value, unit);
}

}  // namespace

std::string key_of(const analysis::Labels& labels) { return analysis::selector("", labels); }

Verdict judge_one(const Threshold& condition, const Rule& rule, const Judging& with) {
  Verdict verdict;
  const analysis::Window* window = usable(with, condition.of.window, verdict);
  if (window == nullptr) return verdict;
  const std::string unit = condition.of.unit();
  for (const Figure& figure : measure(condition.of, *window)) {
    if (std::isnan(figure.value)) {
      verdict.observations.push_back(unknown(figure.labels));
      verdict.unknown = "nothing was recorded in the window";
      continue;
    }
    if (!condition.bound.holds(figure.value, with.firing(key_of(figure.labels)))) continue;
    Observation o = holds(rule, figure.labels, figure.value, unit);
    o.fields["quantity"] = condition.of.text();
    o.fields["limit"] = limit_text(condition.bound, unit);
    o.fields["window"] = time_text(condition.of.window);
    verdict.observations.push_back(std::move(o));
  }
  return verdict;
}

Verdict judge_one(const Ratio& condition, const Rule& rule, const Judging& with) {
  Verdict verdict;
  const analysis::Window* window = usable(with, condition.of.window, verdict);
  if (window == nullptr) return verdict;
  std::map<analysis::Labels, double> of;
  for (const Figure& figure : measure(condition.of, *window)) of[figure.labels] = figure.value;
  const bool growth = condition.of.statistic.kind == Statistic::Kind::rate ||
                      condition.of.statistic.kind == Statistic::Kind::increase;
  const std::string unit = condition.unit();
  for (const Figure& to : measure(condition.to, *window)) {
    const auto found = of.find(to.labels);
    // What has never been counted has not happened; a gauge that is missing is not known.
    const double upper = found != of.end() ? found->second
                         : growth          ? 0
                                           : std::numeric_limits<double>::quiet_NaN();
    if (found != of.end()) of.erase(found);
    if (!(to.value > condition.least) || std::isnan(upper)) {
      verdict.observations.push_back(unknown(to.labels));
      verdict.unknown = std::isnan(upper)
                            ? "the first figure is missing"
                            : fmt::format(
                                  "the second figure is {}, not above {}: see whether it is "
                                  "recorded, or set `least`",
                                  value_text(to.value, condition.to.unit()),
                                  value_text(condition.least, condition.to.unit()));
      continue;
    }
    const double ratio = condition.complement ? 1 - upper / to.value : upper / to.value;
    if (!condition.bound.holds(ratio, with.firing(key_of(to.labels)))) continue;
    Observation o = holds(rule, to.labels, ratio, unit);
    o.fields["quantity"] = fmt::format("{}{} by {}", condition.complement ? "1 - " : "",
                                       condition.of.text(), condition.to.text());
    o.fields["limit"] = limit_text(condition.bound, unit);
    o.fields["window"] = time_text(condition.of.window);
    verdict.observations.push_back(std::move(o));
  }
  // What fires stays; for all others a figure that has no second one is no news.
  for (const auto& [labels, value] : of) {
    if (!with.firing(key_of(labels))) continue;
    verdict.observations.push_back(unknown(labels));
    verdict.unknown = "the second figure is missing";
  }
  return verdict;
}

Verdict judge_one(const Degradation& condition, const Rule& rule, const Judging& with) {
  Verdict verdict;
  const analysis::Window* window = usable(with, condition.of.window, verdict);
  if (window == nullptr) return verdict;
  const std::string unit = condition.of.unit();
  for (const Figure& figure : measure(condition.of, *window)) {
    const analysis::Quantity quantity{condition.of.series.name, figure.labels,
                                      text_of(condition.of.statistic), unit};
    std::optional<BaselineValue> usual;
    if (!std::isnan(figure.value))
      usual = with.facts.baseline(quantity, condition.baseline, with.now);
    if (!usual) {
      verdict.observations.push_back(unknown(figure.labels));
      verdict.unknown = std::isnan(figure.value)
                            ? "nothing was recorded in the window"
                            : "there is no baseline '" + condition.baseline + "' of it yet";
      continue;
    }
    // A firing alert ends when half of the excess is gone: figures at the limit do not flap.
    const bool firing = with.firing(key_of(figure.labels));
    const double ease = firing ? 0.5 : 1;
    const double factor = 1 + (condition.factor - 1) * ease;
    const double away =
        condition.above ? figure.value - usual->middle : usual->middle - figure.value;
    const bool beyond = condition.above ? figure.value > usual->middle * factor
                                        : figure.value < usual->middle / factor;
    if (!beyond || away < condition.difference * ease ||
        away < condition.spreads * usual->spread * ease) {
      continue;
    }
    Observation o = holds(rule, figure.labels, figure.value, unit);
    o.fields["quantity"] = condition.of.text();
    o.fields["usual"] = value_text(usual->middle, unit);
    o.fields["factor"] = usual->middle != 0
                             ? analysis::number_text(figure.value / usual->middle) + "x"
                             : std::string("infinitely many times");
    o.fields["baseline"] = condition.baseline;
    o.fields["window"] = time_text(condition.of.window);
    verdict.observations.push_back(std::move(o));
  }
  return verdict;
}

Verdict judge_one(const Absence& condition, const Rule& rule, const Judging& with) {
  Verdict verdict;
  // Nearly all of it: what has just been started has not been absent for so long. The engine waits
  // for gauges (Rule::wait()).
  const double share = condition.of_gauge() ? 0 : 0.8;
  const analysis::Window* window = usable(with, condition.window, verdict, share);
  if (window == nullptr) return verdict;
  double growth = 0;
  const auto found = select(condition.series, *window);
  for (const analysis::WindowSeries* series : found)
    growth += series->histogram ? static_cast<double>(series->histogram->count()) : series->change;
  if (!found.empty() && growth >= condition.least) return verdict;
  analysis::Labels labels;
  for (const Matcher& matcher : condition.series.matchers) {
    if (matcher.kind == Matcher::Kind::equal) labels.emplace_back(matcher.label, matcher.value);
  }
  Observation o = holds(rule, labels, growth, "");
  o.fields["quantity"] = condition.series.text();
  o.fields["limit"] = condition.least > 0 ? "below " + analysis::number_text(condition.least)
                                          : std::string("absent");
  o.fields["window"] = time_text(condition.window);
  verdict.observations.push_back(std::move(o));
  return verdict;
}

namespace {

struct Budget {
  double bad = 0, total = 0;
  [[nodiscard]] double share() const { return total > 0 ? bad / total : 0; }
};

/// Values above `seconds`; those in its bucket count as good.
double slower(const analysis::Histogram& histogram, double seconds) {
  const auto ns = static_cast<std::uint64_t>(std::llround(std::max(0.0, seconds) * 1e9));
  const std::size_t index = analysis::bucket_index(ns);
  if (index == analysis::kOverflowIndex) return 0;
  auto count = static_cast<double>(histogram.overflow);
  const std::size_t first = index == analysis::kZeroIndex ? 0 : index + 1;
  for (std::size_t i = first; i < NZ_BUCKETS; i++)
    count += static_cast<double>(histogram.buckets[i]);
  return count;
}

std::map<analysis::Labels, Budget> budgets(const BurnRate& condition,
                                           const analysis::Window& window) {
  std::map<analysis::Labels, Budget> all;
  const auto group = [&](const analysis::WindowSeries& series) -> Budget& {
    return all[group_labels(series.labels, condition.by, condition.each)];
  };
  if (condition.of_values()) {
    for (const analysis::WindowSeries* series : select(condition.series, window)) {
      if (!series->histogram) continue;
      Budget& budget = group(*series);
      budget.bad += slower(*series->histogram, condition.slower_than);
      budget.total += static_cast<double>(series->histogram->count());
    }
    return all;
  }
  for (const analysis::WindowSeries* series : select(condition.total, window))
    group(*series).total += series->change;
  for (const analysis::WindowSeries* series : select(condition.bad, window))
    group(*series).bad += series->change;
  return all;
}

}  // namespace

Verdict judge_one(const BurnRate& condition, const Rule& rule, const Judging& with) {
  Verdict verdict;
  const double allowed = 1 - condition.objective;
  std::size_t number = 0, judged = 0;
  for (const BurnRate::Window& wanted : condition.windows) {
    const std::size_t which = number++;
    Verdict not_known;
    const analysis::Window* short_window = usable(with, wanted.confirm, not_known);
    const analysis::Window& long_window = with.windows.get(wanted.length);
    if (short_window == nullptr) {
      // The other windows are judged all the same: history for the longest may never be there.
      verdict.unknown = not_known.unknown;
      for (const auto& [labels, budget] : budgets(condition, long_window)) {
        Observation o = unknown(labels);
        o.key = fmt::format("{}{}", which, o.key);
        verdict.observations.push_back(std::move(o));
      }
      continue;
    }
    judged++;
    // Time that was not observed counts as good: ten minutes of errors after a start are not an
    // hour of them.
    const double observed = std::min(1.0, long_window.seconds() / wanted.length);
    const auto now = budgets(condition, *short_window);
    for (const auto& [labels, budget] : budgets(condition, long_window)) {
      const auto found = now.find(labels);
      if (found == now.end()) continue;
      const double burn = budget.share() / allowed * observed;
      const double short_burn = found->second.share() / allowed;
      if (!(burn > wanted.burn) || !(short_burn > wanted.burn)) continue;
      Observation o = holds(rule, labels, burn, "");
      o.key = fmt::format("{}{}", which, o.key);
      o.labels.emplace_back("window", time_text(wanted.length));
      o.severity = wanted.severity;
      o.fields["quantity"] = condition.of_values()
                                 ? fmt::format("{} slower than {}", condition.series.text(),
                                               analysis::seconds_text(condition.slower_than))
                                 : condition.bad.text() + " by " + condition.total.text();
      o.fields["objective"] = analysis::percent_text(condition.objective);
      o.fields["burn"] = o.fields["value"];
      o.fields["short_burn"] = analysis::number_text(short_burn);
      o.fields["limit"] = "above " + analysis::number_text(wanted.burn);
      o.fields["window"] = time_text(wanted.length);
      o.fields["short"] = time_text(wanted.confirm);
      verdict.observations.push_back(std::move(o));
    }
  }
  if (judged == 0) verdict.known = false;
  return verdict;
}

}  // namespace nz::alerts
