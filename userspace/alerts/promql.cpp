#include "userspace/alerts/promql.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "userspace/alerts/alert.h"
#include "userspace/alerts/amount.h"
#include "userspace/alerts/catalog.h"
#include "userspace/alerts/resource.h"

namespace nz::alerts {
namespace {

using Kind = Statistic::Kind;
using metrics::Type;

// Two scrapes of 10 s must lie in a range, and a missed one is no reason to know nothing.
constexpr double kShortestRange = 60;

std::string number(double value) { return fmt::format("{:.12g}", value); }

Type type_of(const Selector& series) {
  const CatalogEntry* entry = find_family(series.name);
  return entry != nullptr ? entry->type : Type::gauge;
}

std::string named(const Selector& series, const std::string& suffix) {
  Selector other = series;
  other.name += suffix;
  return other.text();
}

/// Hosts are kept apart: an agent judges its own alone.
std::string grouping(std::vector<std::string> by, bool le) {
  by.insert(by.begin(), {"job", "instance"});
  if (le) by.emplace_back("le");
  return fmt::format("by ({})", fmt::join(by, ", "));
}

std::string grouped(const Measure& measure, const std::string& expression, bool le = false,
                    const char* how = "sum") {
  if (measure.each) return expression;
  return fmt::format("{} {} ({})", how, grouping(measure.by, le), expression);
}

std::string range_of(double window) { return time_text(std::max(window, kShortestRange)); }

/// Whichever Prometheus stores: native histograms or classic buckets.
std::string of_histogram(const Measure& m, const std::string& range) {
  const std::string native = fmt::format("{}[{}]", m.series.text(), range);
  const auto classic = [&](const char* suffix) {
    return fmt::format("{}[{}]", named(m.series, suffix), range);
  };
  switch (m.statistic.kind) {
    case Kind::quantile: {
      const std::string q = number(m.statistic.quantile);
      return fmt::format("(histogram_quantile({}, {}) or histogram_quantile({}, {}))", q,
                         grouped(m, fmt::format("rate({})", native)), q,
                         grouped(m, fmt::format("rate({})", classic("_bucket")), true));
    }
    case Kind::mean: {
      const std::string native_rate = grouped(m, fmt::format("rate({})", native));
      return fmt::format("((histogram_sum({}) / histogram_count({})) or ({} / {}))", native_rate,
                         native_rate, grouped(m, fmt::format("rate({})", classic("_sum"))),
                         grouped(m, fmt::format("rate({})", classic("_count"))));
    }
    case Kind::rate:
    case Kind::increase: {
      const char* function = m.statistic.kind == Kind::rate ? "rate" : "increase";
      return fmt::format("(histogram_count({}) or {})",
                         grouped(m, fmt::format("{}({})", function, native)),
                         grouped(m, fmt::format("{}({})", function, classic("_count"))));
    }
    case Kind::most:  // the nearest that buckets can say
    case Kind::least: {
      const char* q = m.statistic.kind == Kind::most ? "1" : "0";
      return fmt::format("(histogram_quantile({}, {}) or histogram_quantile({}, {}))", q,
                         grouped(m, fmt::format("rate({})", native)), q,
                         grouped(m, fmt::format("rate({})", classic("_bucket")), true));
    }
    case Kind::value:
      break;
  }
  return m.series.text();
}

std::string expression_of(const Measure& m) {
  const std::string range = range_of(m.window);
  if (type_of(m.series) == Type::histogram) return of_histogram(m, range);
  switch (m.statistic.kind) {
    case Kind::rate:
    case Kind::increase:
      return grouped(m,
                     fmt::format("{}({}[{}])", m.statistic.kind == Kind::rate ? "rate" : "increase",
                                 m.series.text(), range));
    case Kind::least:
    case Kind::most: {
      const char* how = m.statistic.kind == Kind::least ? "min" : "max";
      return grouped(m, fmt::format("{}_over_time({}[{}])", how, m.series.text(), range), false,
                     how);
    }
    default:
      return grouped(m, m.series.text());
  }
}

void note_range(double window, PromRule& out) {
  if (window >= kShortestRange) return;
  out.notes.push_back(fmt::format("the window is {} in place of {}: a range needs several scrapes",
                                  time_text(kShortestRange), time_text(window)));
}

std::string compare(const Bound& bound) {
  return fmt::format("{} {}", bound.above ? ">" : "<", number(bound.value));
}

/// Prometheus' template of a value in a unit.
std::string value_in(const std::string& unit) {
  if (unit == "seconds") return "{{ $value | humanizeDuration }}";
  if (unit == "ratio" || unit == "seconds per second") return "{{ $value | humanizePercentage }}";
  if (unit.starts_with("bytes")) return "{{ $value | humanize1024 }}B";
  return "{{ $value | humanize }}";
}

void describe(const Bound& bound, const std::string& quantity, double window,
              const std::string& unit, PromRule& out) {
  if (bound.clear)
    out.notes.emplace_back("hysteresis (`clear`) is left out; keep_firing_for stays");
  out.texts["value"] = value_in(unit);
  out.texts["limit"] = (bound.above ? "above " : "below ") + value_text(bound.value, unit);
  out.texts["quantity"] = quantity;
  out.texts["window"] = range_of(window);
}

/// Asks the agent, which has judged.
std::vector<PromRule> from_agent(const Rule& rule, const std::string& why) {
  PromRule out;
  out.asks_agent = true;
  out.expression = fmt::format("nearzero_alerts{{rule=\"{}\",state=\"firing\"}} > 0", rule.name);
  out.notes.push_back(why + ": whether the agent's own alert fires, without its labels and texts");
  return {out};
}

std::vector<PromRule> one(const Rule&, const Threshold& c) {
  PromRule out;
  out.expression = fmt::format("{} {}", expression_of(c.of), compare(c.bound));
  const Kind kind = c.of.statistic.kind;
  if (type_of(c.of.series) == Type::histogram && (kind == Kind::most || kind == Kind::least))
    out.notes.emplace_back("max and min are those of the buckets");
  if (kind != Kind::value) note_range(c.of.window, out);
  describe(c.bound, c.of.text(), c.of.window, c.of.unit(), out);
  return {out};
}

std::vector<PromRule> one(const Rule&, const Ratio& c) {
  PromRule out;
  const std::string ratio =
      fmt::format("({} / ({} > {}))", expression_of(c.of), expression_of(c.to), number(c.least));
  out.expression = c.complement ? fmt::format("(1 - {}) {}", ratio, compare(c.bound))
                                : fmt::format("{} {}", ratio, compare(c.bound));
  const bool growth = c.of.statistic.kind == Kind::rate || c.of.statistic.kind == Kind::increase;
  if (growth && c.bound.above == c.complement) {
    out.notes.push_back(
        fmt::format("where {} was never counted the agent takes 0; PromQL has no result there",
                    c.of.series.text()));
  }
  if (c.of.statistic.kind != Kind::value) note_range(c.of.window, out);
  describe(c.bound, c.of.text() + " by " + c.to.text(), c.of.window, c.unit(), out);
  return {out};
}

std::vector<PromRule> one(const Rule& rule, const Degradation&) {
  return from_agent(rule, "Prometheus has no robust baseline by hour of week");
}
std::vector<PromRule> one(const Rule& rule, const RegressionFound&) {
  return from_agent(rule, "PromQL finds no change points");
}
std::vector<PromRule> one(const Rule& rule, const AnomalyFound&) {
  return from_agent(rule, "PromQL scores no anomalies");
}

/// A quarter of what lies ahead, between an hour and a day: a straight line needs some past.
double past_of(double within) {
  return std::clamp(std::round(within / 4 / 60) * 60, 3600.0, 86400.0);
}

/// Where a straight line through the past of this figure is after `within`.
std::string ahead_of(const Measure& m, double within) {
  const std::string past = time_text(past_of(within));
  const std::string ahead = number(within);
  if (m.statistic.kind == Kind::value)
    return grouped(m, fmt::format("predict_linear({}[{}], {})", m.series.text(), past, ahead));
  return fmt::format("predict_linear(({})[{}:1m], {})", expression_of(m), past, ahead);
}

std::vector<PromRule> one(const Rule&, const ForecastFound& c) {
  PromRule out;
  const auto with = [&](Measure m) {
    m.series.matchers.insert(m.series.matchers.end(), c.where.begin(), c.where.end());
    return m;
  };
  const auto ratio = c.resource.empty() ? std::nullopt : resource_ratio(c.resource);
  if (ratio && ratio->complement) {
    out.expression = ahead_of(with(ratio->of), c.within) + " < 0";
    out.texts["limit"] = "nothing left";
  } else if (ratio) {
    out.expression =
        fmt::format("{} > {}", ahead_of(with(ratio->of), c.within), expression_of(with(ratio->to)));
    out.texts["limit"] = "its limit";
  } else {
    out.expression = fmt::format("{} {}", ahead_of(with(c.of), c.within), compare(c.bound));
    out.texts["limit"] = value_text(c.bound.value, c.of.unit());
  }
  out.texts["quantity"] = ratio ? c.resource : c.of.text();
  out.texts["value"] = out.texts["left"] = "less than " + time_text(c.within);
  out.notes.push_back(
      fmt::format("a straight line through {} in place of a robust trend with an interval",
                  time_text(past_of(c.within))));
  return {out};
}

std::vector<PromRule> one(const Rule&, const BottleneckFound& c) {
  PromRule out;
  Selector series{"nearzero_bottleneck_impact_ratio", {}};
  if (!c.kinds.empty()) {
    series.matchers.push_back(
        {"kind", Matcher::Kind::like, fmt::format("{}", fmt::join(c.kinds, "|")), nullptr});
  }
  for (const Matcher& matcher : c.where) {
    if (matcher.label == "where") {
      out.notes.emplace_back("the condition on `where` is left out: the metric has no such label");
    } else {
      series.matchers.push_back(matcher);
    }
  }
  double impact = c.least_impact;
  if (c.least_severity != Severity::info && impact == 0) {
    // docs/bottlenecks.md: from these impacts on, but for limits and errors.
    impact = c.least_severity == Severity::critical ? 0.5 : 0.1;
    out.notes.push_back(fmt::format("severity is taken for an impact of {} or more", impact));
  }
  if (c.least_confidence > 0) out.notes.emplace_back("confidence is left out: no metric has it");
  out.expression = fmt::format("{} >= {}", series.text(), number(impact));
  out.texts["value"] = out.texts["impact"] = value_in("ratio");
  out.texts["title"] = out.texts["cause"] = "{{ $labels.kind }} of {{ $labels.target }}";
  return {out};
}

std::vector<PromRule> one(const Rule&, const Absence& c) {
  PromRule out;
  const bool histogram = type_of(c.series) == Type::histogram;
  if (c.least > 0) {
    const Measure growth{c.series, {Kind::increase, 0}, c.window, {}, false};
    // Not absent(): what has just vanished may have grown enough within the window.
    const auto gone = [&](const std::string& series) {
      return fmt::format("absent_over_time({}[{}])", series, range_of(c.window));
    };
    std::string none = gone(c.series.text());
    if (histogram) none = gone(named(c.series, "_count")) + " and " + none;
    out.expression = fmt::format("{} < {} or {}", expression_of(growth), number(c.least), none);
    note_range(c.window, out);
  } else {
    out.expression =
        fmt::format("absent({})",
                    histogram ? fmt::format("{} or {}", named(c.series, "_count"), c.series.text())
                              : c.series.text());
    out.notes.push_back(fmt::format("absent() has no window: the one of {} is added to `for`",
                                    time_text(c.window)));
  }
  out.notes.emplace_back("hosts are not kept apart: a series is absent where no host has it");
  out.texts["value"] = value_in("");
  out.texts["quantity"] = c.series.text();
  out.texts["window"] = time_text(c.window);
  out.texts["limit"] = c.least > 0 ? "below " + number(c.least) : std::string("absent");
  return {out};
}

/// How many times too fast the budget is spent over a window.
std::string burn_of(const BurnRate& c, double window) {
  const std::string range = range_of(window);
  const std::string allowed = number(1 - c.objective);
  if (c.of_values()) {
    const Measure m{c.series, {Kind::rate, 0}, window, c.by, c.each};
    const std::string native = grouped(m, fmt::format("rate({}[{}])", c.series.text(), range));
    return fmt::format("((1 - histogram_fraction(0, {}, {})) / {})", number(c.slower_than), native,
                       allowed);
  }
  const std::string by = grouping(c.by, false);
  return fmt::format("(sum {} (rate({}[{}])) / sum {} (rate({}[{}])) / {})", by, c.bad.text(),
                     range, by, c.total.text(), range, allowed);
}

std::vector<PromRule> one(const Rule&, const BurnRate& c) {
  std::vector<PromRule> all;
  for (const BurnRate::Window& window : c.windows) {
    PromRule out;
    out.expression = fmt::format("{0} > {2} and {1} > {2}", burn_of(c, window.length),
                                 burn_of(c, window.confirm), number(window.burn));
    out.severity = window.severity;
    out.labels = {{"window", time_text(window.length)}};
    if (c.of_values())
      out.notes.emplace_back(
          "needs native histograms: classic buckets have no boundary at every time");
    note_range(window.confirm, out);
    out.texts["value"] = out.texts["burn"] = value_in("");
    out.texts["labels.window"] = out.texts["window"] = time_text(window.length);
    out.texts["short"] = time_text(window.confirm);
    out.texts["objective"] = value_text(c.objective, "ratio");
    out.texts["limit"] = "above " + number(window.burn);
    out.texts["quantity"] = c.of_values() ? c.series.text() : c.bad.text();
    all.push_back(std::move(out));
  }
  return all;
}

}  // namespace

std::vector<PromRule> to_promql(const Rule& rule) {
  return std::visit([&](const auto& condition) { return one(rule, condition); }, rule.condition);
}

}  // namespace nz::alerts
