#include "userspace/alerts/rule_reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "userspace/alerts/amount.h"
#include "userspace/alerts/json_fields.h"
#include "userspace/alerts/resource.h"
#include "userspace/alerts/rule_values.h"
#include "userspace/config/nearest_key.h"
#include "userspace/config/pointer.h"

namespace nz::alerts {
namespace {

using config::child;
using config::in_quotes;
using nlohmann::json;

constexpr double kLongestFor = 7 * 86400.0;
constexpr double kShortestForecast = 60, kLongestForecast = 366 * 86400.0;

bool is_label_name(const std::string& text) {
  constexpr const char* kCharacters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
  return !text.empty() && text.size() <= 63 && (text[0] < '0' || text[0] > '9') &&
         text.find_first_not_of(kCharacters) == std::string::npos;
}

Strings labels_of_all_families() {
  Strings all;
  for (const CatalogEntry& entry : catalog()) add_once(all, entry.label_names());
  return all;
}

class Reader : RuleValues {
 public:
  Reader(const std::string& at, const config::Locate& locate, config::Problems& problems)
      : RuleValues(locate, problems), at_(at) {}

  Rule read(const json& in) {
    Rule rule;
    set(member(in, "name"), rule.name);
    rule.source = place(at_);
    rule.for_seconds = time(in, "for", at_, 0, 0, kLongestFor);
    rule.keep_firing_seconds =
        time(in, "keep_firing_for", at_, rule.keep_firing_seconds, 0, kLongestFor);
    rule.severity = severity_of(in, "severity", rule.severity);
    severity_given_ = !member(in, "severity").is_null();
    set(member(in, "receivers"), rule.receivers);
    condition(in, rule);
    const json& labels = member(in, "labels");
    if (labels.is_object()) {
      for (const auto& [key, value] : labels.items()) label(rule, key, value);
    }
    annotations(in, rule);
    // Another condition or other labels are another alert; `for` and texts may change under one.
    rule.identity += fmt::format(" {} {}", word(rule.severity),
                                 labels.dump(-1, ' ', false, json::error_handler_t::replace));
    return rule;
  }

 private:
  /// Labels that alerts of a measure have.
  static Strings labels_of(const Measure& measure, const CatalogEntry* family) {
    if (!measure.each) return measure.by;
    return family == nullptr ? labels_of_all_families() : family->label_names();
  }

  // ---- kinds

  void condition(const json& in, Rule& rule) {
    static const std::vector<
        std::pair<const char*, void (Reader::*)(const json&, const std::string&, Rule&)>>
        kKinds = {{"threshold", &Reader::threshold},     {"ratio", &Reader::ratio},
                  {"degradation", &Reader::degradation}, {"regression", &Reader::regression},
                  {"anomaly", &Reader::anomaly},         {"bottleneck", &Reader::bottleneck},
                  {"absence", &Reader::absence},         {"burn_rate", &Reader::burn_rate},
                  {"resource", &Reader::resource},       {"forecast", &Reader::forecast}};
    if (!in.is_object()) return;
    for (const auto& [key, read] : kKinds) {
      const auto found = in.find(key);
      if (found == in.end()) continue;
      rule.kind = key;
      rule.identity =
          fmt::format("{} {}", key, found->dump(-1, ' ', false, json::error_handler_t::replace));
      (this->*read)(*found, child(at_, key), rule);
      return;
    }
  }

  void threshold(const json& in, const std::string& at, Rule& rule) {
    Threshold out;
    const CatalogEntry* family = measure(in, at, out.of);
    by(in, at, family, out.of.by, out.of.each);
    out.of.window = window(in, "window", at, out.of.window);
    bound(in, at, out.of.unit(), out.bound);
    labels_ = labels_of(out.of, family);
    rule.condition = std::move(out);
  }

  void ratio(const json& in, const std::string& at, Rule& rule) {
    Ratio out;
    const CatalogEntry* of = measure(member(in, "of"), child(at, "of"), out.of);
    const CatalogEntry* to = measure(member(in, "to"), child(at, "to"), out.to);
    bool each = true;
    by(in, at, of, out.of.by, each);
    if (to != nullptr) {
      for (std::size_t i = 0; i < out.of.by.size(); i++)
        known_label(*to, out.of.by[i], child(child(at, "by"), i));
    }
    if (each && of != nullptr && to != nullptr) out.of.by = common_labels(out, *of, *to);
    out.of.each = out.to.each = false;
    out.to.by = out.of.by;
    out.of.window = out.to.window = window(in, "window", at, out.of.window);
    set(member(in, "complement"), out.complement);
    out.least = amount(in, "least", at, out.to.unit()).value_or(0);
    bound(in, at, out.unit(), out.bound);
    labels_ = out.of.by;
    rule.condition = std::move(out);
  }

  /// Without `by`: what both families have, but for what the selectors have fixed.
  static Strings common_labels(const Ratio& ratio, const CatalogEntry& of, const CatalogEntry& to) {
    Strings common;
    const auto fixed = [](const Selector& selector, const std::string& label) {
      return std::any_of(selector.matchers.begin(), selector.matchers.end(), [&](const Matcher& m) {
        return m.label == label && m.kind == Matcher::Kind::equal;
      });
    };
    for (const std::string& label : of.label_names()) {
      if (to.has_label(label) && !fixed(ratio.of.series, label) && !fixed(ratio.to.series, label))
        common.push_back(label);
    }
    return common;
  }

  void degradation(const json& in, const std::string& at, Rule& rule) {
    Degradation out;
    out.of.window = 300;
    const CatalogEntry* family = measure(in, at, out.of);
    by(in, at, family, out.of.by, out.of.each);
    out.of.window = window(in, "window", at, out.of.window);
    set(member(in, "baseline"), out.baseline);
    out.above = !member(in, "below").is_string();
    const char* key = out.above ? "above" : "below";
    const json& factor = member(in, key);
    if (factor.is_string()) {
      const auto parsed = parse_amount(factor.get<std::string>());
      if (parsed) out.factor = parsed->value;
      if (out.factor < 1) {
        report(child(at, key), fmt::format("{} is below 1x", in_quotes(factor.get<std::string>())),
               out.above ? "write for instance 1.5x, or use `below`" : "2x is less than half");
      }
    }
    out.difference = amount(in, "least_difference", at, out.of.unit()).value_or(0);
    out.spreads = 3;
    set(member(in, "spreads"), out.spreads);
    labels_ = labels_of(out.of, family);
    rule.condition = std::move(out);
  }

  void regression(const json& in, const std::string& at, Rule& rule) {
    RegressionFound out;
    const CatalogEntry* family = selector(in, "series", at, out.series);
    set(member(in, "statistic"), out.statistic);
    set(member(in, "worse_only"), out.worse_only);
    out.least_change = share(in, "least_change", at, 1e6);
    out.least_confidence = share(in, "least_confidence", at);
    labels_ = family == nullptr ? labels_of_all_families() : family->label_names();
    add_once(labels_, {"series", "statistic"});
    rule.condition = std::move(out);
  }

  void anomaly(const json& in, const std::string& at, Rule& rule) {
    AnomalyFound out;
    selector(in, "series", at, out.series);
    out.least_score = share(in, "least_score", at);
    double members = 1;
    set(member(in, "least_members"), members);
    out.least_members = static_cast<std::size_t>(std::clamp(members, 1.0, 1000.0));
    labels_ = labels_of_all_families();
    add_once(labels_, {"series", "statistic"});
    rule.condition = std::move(out);
  }

  void bottleneck(const json& in, const std::string& at, Rule& rule) {
    BottleneckFound out;
    set(member(in, "kinds"), out.kinds);
    for (std::size_t i = 0; i < out.kinds.size(); i++) {
      if (contains(bottleneck_kinds(), out.kinds[i])) continue;
      const std::string nearest = config::nearest_key(out.kinds[i], bottleneck_kinds());
      report(
          child(child(at, "kinds"), i), "there is no kind of bottleneck " + in_quotes(out.kinds[i]),
          nearest.empty() ? "docs/bottlenecks.md lists them" : "did you mean '" + nearest + "'?");
    }
    labels_ = {"target", "kind", "where"};
    out.where = where(in, at, labels_).value_or(Matchers{});
    out.least_severity = severity_of(in, "least_severity", Severity::info);
    out.severity_as_found = !severity_given_;
    out.least_impact = share(in, "least_impact", at);
    out.least_confidence = share(in, "least_confidence", at);
    rule.condition = std::move(out);
  }

  void absence(const json& in, const std::string& at, Rule& rule) {
    Absence out;
    const CatalogEntry* family = selector(in, "series", at, out.series);
    out.window = window(in, "window", at, out.window);
    set(member(in, "least"), out.least);
    if (out.least > 0 && family != nullptr && family->type == metrics::Type::gauge) {
      report(child(at, "least"), "a gauge does not grow", "remove it, or take a counter");
    }
    for (const Matcher& matcher : out.series.matchers) {
      if (matcher.kind == Matcher::Kind::equal) add_once(labels_, {matcher.label});
    }
    rule.condition = std::move(out);
  }

  void burn_rate(const json& in, const std::string& at, Rule& rule) {
    BurnRate out;
    out.objective = share(in, "objective", at);
    if (in.is_object() && in.contains("objective") && !(out.objective > 0 && out.objective < 1)) {
      report(child(at, "objective"), "must be above 0 and below 100%: there is no budget to burn",
             "write for instance 99.9%");
    }
    const bool values = in.is_object() && in.contains("series");
    const CatalogEntry* family = nullptr;
    if (values) {
      family = selector(in, "series", at, out.series);
      out.slower_than = amount(in, "slower_than", at, "seconds").value_or(0);
      needs(family, metrics::Type::histogram, child(at, "series"), "a histogram");
    } else {
      family = selector(in, "bad", at, out.bad);
      needs(family, metrics::Type::counter, child(at, "bad"), "a counter");
      const CatalogEntry* total = selector(in, "total", at, out.total);
      needs(total, metrics::Type::counter, child(at, "total"), "a counter");
    }
    by(in, at, family, out.by, out.each);
    if (!values && out.each) out.each = false;  // bad and total agree in nothing by themselves
    windows(in, at, rule, out);
    labels_ = out.each && family != nullptr ? family->label_names() : out.by;
    add_once(labels_, {"window"});
    rule.condition = std::move(out);
  }

  void needs(const CatalogEntry* family, metrics::Type type, const std::string& place,
             const char* what) {
    if (family == nullptr || family->type == type) return;
    report(place, fmt::format("{} is not {}", family->full_name(), what),
           "docs/metrics.md says what each is");
  }

  void windows(const json& in, const std::string& at, const Rule& rule, BurnRate& out) {
    const json& list = member(in, "windows");
    if (!list.is_array()) {
      // The Site Reliability Workbook, table 5-8.
      out.windows = {{3600, 300, 14.4, Severity::critical},
                     {6 * 3600, 1800, 6, Severity::critical},
                     {3 * 86400, 6 * 3600, 1, Severity::warning}};
      return;
    }
    for (std::size_t i = 0; i < list.size(); i++) {
      const std::string place = child(child(at, "windows"), i);
      BurnRate::Window window;
      window.length = RuleValues::window(list[i], "long", place, 3600);
      window.confirm = RuleValues::window(list[i], "short", place, 300);
      set(member(list[i], "burn"), window.burn);
      window.severity = severity_of(list[i], "severity", rule.severity);
      if (window.confirm >= window.length) {
        report(child(place, "short"), "is not shorter than 'long'", "a twelfth of it is usual");
      }
      out.windows.push_back(window);
    }
  }

  void resource(const json& in, const std::string& at, Rule& rule) {
    std::string name;
    set(member(in, "of"), name);
    auto out = resource_ratio(name);
    if (!out) return;  // the schema's enumeration has said so
    labels_ = out->of.by;
    if (const auto chosen = where(in, at, labels_)) {
      for (Measure* measure : {&out->of, &out->to})
        measure->series.matchers.insert(measure->series.matchers.end(), chosen->begin(),
                                        chosen->end());
    }
    out->of.window = out->to.window = window(in, "window", at, 60);
    bound(in, at, "ratio", out->bound);
    rule.condition = std::move(*out);
  }

  void forecast(const json& in, const std::string& at, Rule& rule) {
    ForecastFound out;
    set(member(in, "of"), out.resource);
    if (!out.resource.empty()) {
      if (member(in, "series").is_string())
        report(child(at, "series"), "is given beside 'of'", "remove one of them");
      const auto ratio = resource_ratio(out.resource);
      if (!ratio) return;  // the schema's enumeration has said so
      labels_ = ratio->of.by;
    } else {
      if (in.is_object() && !in.contains("series") && !in.contains("of"))
        report(at, "'series' is missing", "name the series that comes to the limit");
      const CatalogEntry* family = measure(in, at, out.of);
      using Kind = Statistic::Kind;
      const Kind kind = out.of.statistic.kind;
      if (kind == Kind::least || kind == Kind::most || kind == Kind::increase) {
        report(child(at, "statistic"), "a trend is of value, rate, mean or a quantile",
               "take one of these");
      }
      bound(in, at, out.of.unit(), out.bound);
      labels_ = family == nullptr ? labels_of_all_families() : family->label_names();
    }
    out.where = where(in, at, labels_).value_or(Matchers{});
    out.within = time(in, "within", at, out.within, kShortestForecast, kLongestForecast);
    std::string moment;
    set(member(in, "moment"), moment);
    out.moment = moment == "earliest" ? ForecastFound::Moment::earliest
                 : moment == "latest" ? ForecastFound::Moment::latest
                                      : ForecastFound::Moment::likeliest;
    rule.condition = std::move(out);
  }

  // ---- labels and annotations

  void label(Rule& rule, const std::string& key, const json& value) {
    const std::string place = child(child(at_, "labels"), key);
    if (!is_label_name(key)) {
      report(place, "is no name of a label", "letters, digits and _, not a digit first");
    } else if (key == "alertname" || key == "severity") {
      report(place, "is set by the rule itself", "remove it; `name` and `severity` are the keys");
    } else if (key == "window" && rule.kind == "burn_rate") {
      report(place, "tells the windows of a burn rate apart", "take another name");
    }
    if (value.is_string()) rule.labels.emplace_back(key, value.get<std::string>());
  }

  void annotations(const json& in, Rule& rule) {
    Strings labels = labels_;
    for (const auto& [key, value] : rule.labels) add_once(labels, {key});
    add_once(labels, {"alertname", "severity"});
    const json& texts = member(in, "annotations");
    if (!texts.is_object()) return;
    for (const auto& [key, value] : texts.items()) {
      const std::string place = child(child(at_, "annotations"), key);
      if (!is_label_name(key))
        report(place, "is no name of an annotation", "letters, digits and _, not a digit first");
      if (!value.is_string()) continue;
      auto parsed = Template::parse(value.get<std::string>(), template_names(rule.kind), labels);
      if (!parsed) {
        report(place, parsed.error().what, parsed.error().remedy);
        continue;
      }
      rule.annotations.emplace_back(key, std::move(*parsed));
    }
  }

  const std::string& at_;
  Strings labels_;  // of the rule's alerts
  bool severity_given_ = false;
};

}  // namespace

Rule read_rule(const json& in, const std::string& at, const config::Locate& locate,
               config::Problems& problems) {
  return Reader(at, locate, problems).read(in);
}

}  // namespace nz::alerts
