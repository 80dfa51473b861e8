#include "userspace/alerts/promql.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "userspace/alerts/amount.h"
#include "userspace/alerts/catalog.h"

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

std::string grouped(const Measure& measure, const std::string& expression, bool le = false) {
  if (measure.each) return expression;
  return fmt::format("sum {} ({})", grouping(measure.by, le), expression);
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
      return grouped(m, fmt::format("{}({}[{}])",
                                    m.statistic.kind == Kind::rate ? "rate" : "increase",
                                    m.series.text(), range));
    case Kind::least:
    case Kind::most:
      return grouped(m, fmt::format("{}_over_time({}[{}])",
                                    m.statistic.kind == Kind::least ? "min" : "max",
                                    m.series.text(), range));
    default:
      return grouped(m, m.series.text());
  }
}

void note_range(double window, PromRule& out) {
  if (window < kShortestRange)
    out.notes.push_back(fmt::format("the window is {} in place of {}: a range needs several scrapes",
                                    time_text(kShortestRange), time_text(window)));
}

void note_bound(const Bound& bound, PromRule& out) {
  if (bound.clear) out.notes.emplace_back("hysteresis (`clear`) is left out; keep_firing_for stays");
}

std::string compare(const Bound& bound) {
  return fmt::format("{} {}", bound.above ? ">" : "<", number(bound.value));
}

/// Asks the agent, which has judged.
PromRule from_agent(const Rule& rule, std::string why) {
  PromRule out;
  out.expression = fmt::format("nearzero_alerts{{rule=\"{}\",state=\"firing\"}} > 0", rule.name);
  out.notes.push_back(std::move(why) + ": the agent judges, and its alert is passed on without its labels");
  return out;
}

std::vector<PromRule> one(const Rule&, const Threshold& c) {
  PromRule out;
  out.expression = fmt::format("{} {}", expression_of(c.of), compare(c.bound));
  if (type_of(c.of.series) == Type::histogram &&
      (c.of.statistic.kind == Kind::most || c.of.statistic.kind == Kind::least))
    out.notes.emplace_back("max and min are those of the buckets");
  if (c.of.statistic.kind != Kind::value) note_range(c.of.window, out);
  note_bound(c.bound, out);
  return {out};
}

std::vector<PromRule> one(const Rule&, const Ratio& c) {
  PromRule out;
  const std::string ratio =
      fmt::format("({} / ({} > {}))", expression_of(c.of), expression_of(c.to), number(c.least));
  out.expression = fmt::format("{}{} {}", c.complement ? "1 - " : "", ratio, compare(c.bound));
  if (c.complement) out.expression = fmt::format("(1 - {}) {}", ratio, compare(c.bound));
  note_range(c.of.window, out);
  note_bound(c.bound, out);
  return {out};
}

std::vector<PromRule> one(const Rule& rule, const Degradation&) {
  return {from_agent(rule, "Prometheus has no robust baseline by hour of week")};
}
std::vector<PromRule> one(const Rule& rule, const RegressionFound&) {
  return {from_agent(rule, "PromQL finds no change points")};
}
std::vector<PromRule> one(const Rule& rule, const AnomalyFound&) {
  return {from_agent(rule, "PromQL scores no anomalies")};
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
  return {out};
}

std::vector<PromRule> one(const Rule&, const Absence& c) {
  PromRule out;
  const bool histogram = type_of(c.series) == Type::histogram;
  const std::string there =
      histogram ? fmt::format("{} or {}", named(c.series, "_count"), c.series.text())
                : c.series.text();
  out.expression = fmt::format("absent({})", there);
  if (c.least > 0) {
    Measure growth{c.series, {Kind::increase, 0}, c.window, {}, false};
    out.expression = fmt::format("{} < {} or {}", expression_of(growth), number(c.least),
                                 out.expression);
    note_range(c.window, out);
  } else {
    out.notes.push_back(fmt::format("a series is absent 5m after its last sample; `for` has the window of {}",
                                    time_text(c.window)));
  }
  return {out};
}

/// Share of what is bad over a range.
std::string bad_share(const BurnRate& c, double window) {
  const std::string range = range_of(window);
  if (!c.of_values()) {
    return fmt::format("(sum {} (rate({}[{}])) / sum {} (rate({}[{}])))", grouping(c.by, false),
                       c.bad.text(), range, grouping(c.by, false), c.total.text(), range);
  }
  const Measure m{c.series, {Kind::rate, 0}, window, c.by, c.each};
  const std::string native = grouped(m, fmt::format("rate({}[{}])", c.series.text(), range));
  return fmt::format("(1 - histogram_fraction(0, {}, {}))", number(c.slower_than), native);
}

std::vector<PromRule> one(const Rule&, const BurnRate& c) {
  std::vector<PromRule> all;
  for (const BurnRate::Window& window : c.windows) {
    PromRule out;
    const double limit = window.burn * (1 - c.objective);
    out.expression =
        fmt::format("{} > {} and {} > {}", bad_share(c, window.length), number(limit),
                    bad_share(c, window.confirm), number(limit));
    out.severity = window.severity;
    if (c.of_values())
      out.notes.emplace_back("needs native histograms: classic buckets have no boundary at every time");
    note_range(window.confirm, out);
    all.push_back(std::move(out));
  }
  return all;
}

// ---- the file

/// A double-quoted scalar of YAML, which JSON's strings are. Only ASCII is escaped.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string value_template(const Rule& rule) {
  std::string unit = "ratio";
  if (const auto* c = std::get_if<Threshold>(&rule.condition)) unit = c->of.unit();
  if (std::holds_alternative<Absence>(rule.condition)) unit = "";
  if (unit == "seconds") return "{{ $value | humanizeDuration }}";
  if (unit == "ratio" || unit == "seconds per second") return "{{ $value | humanizePercentage }}";
  if (unit.starts_with("bytes")) return "{{ $value | humanize1024 }}B";
  return "{{ $value | humanize }}";
}

/// What a name of our templates is in Prometheus'.
std::string field(const Rule& rule, const std::string& name, bool from_agent, PromRule& out) {
  if (name.starts_with("labels.") && !from_agent) {
    const std::string label = name.substr(7);
    if (label == "severity") return word(out.severity.value_or(rule.severity));
    return label == "alertname" ? rule.name : "{{ $labels." + label + " }}";
  }
  if (name == "value" && !from_agent) return value_template(rule);
  if (name == "host") return "{{ $labels.instance }}";
  if (name == "rule") return rule.name;
  if (name == "severity") return word(out.severity.value_or(rule.severity));
  if (name == "limit") {
    if (const auto* c = std::get_if<Threshold>(&rule.condition)) return compare(c->bound);
    if (const auto* c = std::get_if<Ratio>(&rule.condition)) return compare(c->bound);
  }
  if (name == "quantity") {
    if (const auto* c = std::get_if<Threshold>(&rule.condition)) return c->of.text();
    if (const auto* c = std::get_if<Ratio>(&rule.condition))
      return c->of.text() + " by " + c->to.text();
  }
  const std::string lost = "{{ " + name + " }} is known to the agent alone (nearzero alerts list)";
  if (std::find(out.notes.begin(), out.notes.end(), lost) == out.notes.end())
    out.notes.push_back(lost);
  return "(see nearzero alerts list)";
}

/// `{{` of a text would be code for Prometheus.
std::string literal(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); i++) {
    if (text.compare(i, 2, "{{") == 0) {
      out += "{{ \"{{\" }}";
      i++;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string annotation(const Rule& rule, const Template& text, bool from_agent, PromRule& out) {
  std::string result;
  for (const Template::Part& part : text.parts())
    result += part.is_name ? field(rule, part.text, from_agent, out) : literal(part.text);
  return result;
}

}  // namespace

std::vector<PromRule> to_promql(const Rule& rule) {
  return std::visit([&](const auto& condition) { return one(rule, condition); }, rule.condition);
}

PrometheusFile prometheus_file(const std::vector<Rule>& rules, const std::string& source) {
  PrometheusFile file;
  file.yaml = fmt::format(
      "# Made by `nearzero alerts prometheus {}`; change that file and make this one anew.\n"
      "groups:\n  - name: nearzero_alerts\n    rules:{}\n",
      source, rules.empty() ? " []" : "");
  for (const Rule& rule : rules) {
    for (PromRule& made : to_promql(rule)) {
      const bool from_agent = made.expression.starts_with("nearzero_alerts{");
      std::string annotations;
      for (const auto& [name, text] : rule.annotations) {
        annotations += fmt::format("          {}: {}\n", name,
                                   quoted(annotation(rule, text, from_agent, made)));
      }
      for (const std::string& note : made.notes) {
        file.notes.push_back(rule.name + ": " + note);
        file.yaml += "      # " + note + "\n";
      }
      file.yaml += fmt::format("      - alert: {}\n        expr: {}\n", rule.name,
                               quoted(made.expression));
      double wait = from_agent ? 0 : rule.for_seconds;
      if (const auto* absence = std::get_if<Absence>(&rule.condition);
          absence != nullptr && absence->least == 0)
        wait += absence->window;
      if (wait > 0) file.yaml += fmt::format("        for: {}\n", time_text(wait));
      if (rule.keep_firing_seconds > 0 && !from_agent)
        file.yaml += fmt::format("        keep_firing_for: {}\n",
                                 time_text(rule.keep_firing_seconds));
      file.yaml += fmt::format("        labels:\n          severity: {}\n",
                               word(made.severity.value_or(rule.severity)));
      for (const auto& [name, value] : rule.labels)
        file.yaml += fmt::format("          {}: {}\n", name, quoted(literal(value)));
      if (!annotations.empty()) file.yaml += "        annotations:\n" + annotations;
    }
  }
  return file;
}

}  // namespace nz::alerts
