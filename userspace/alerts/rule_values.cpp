#include "userspace/alerts/rule_values.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "userspace/alerts/amount.h"
#include "userspace/alerts/json_fields.h"
#include "userspace/config/nearest_key.h"
#include "userspace/config/pointer.h"

namespace nz::alerts {
namespace {

using config::child;
using config::in_quotes;
using nlohmann::json;

// Two points of the history in memory are 10 s apart; a month is what the store promises.
constexpr double kShortestWindow = 10, kLongestWindow = 31 * 86400.0;

Statistic usual_statistic(metrics::Type type) {
  switch (type) {
    case metrics::Type::counter:
      return {Statistic::Kind::rate, 0};
    case metrics::Type::histogram:
      return {Statistic::Kind::quantile, 0.99};
    case metrics::Type::gauge:
      break;
  }
  return {Statistic::Kind::value, 0};
}

}  // namespace

bool contains(const Strings& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

void add_once(Strings& all, const Strings& more) {
  for (const std::string& one : more) {
    if (!contains(all, one)) all.push_back(one);
  }
}

Severity severity_of(const json& in, const char* key, Severity otherwise) {
  const json& value = member(in, key);
  if (!value.is_string()) return otherwise;
  return parse_severity(value.get<std::string>()).value_or(otherwise);
}

void RuleValues::report(const std::string& pointer, const std::string& what, std::string remedy) {
  // One mistake, one message: what the schema has said of this place is enough.
  if (problems_.concern(pointer)) return;
  problems_.add({locate_(pointer, config::Part::kValue), pointer,
                 config::display(pointer) + ": " + what, std::move(remedy)});
}

double RuleValues::time(const json& in, const char* key, const std::string& at, double otherwise,
                        double least, double most) {
  const json& value = member(in, key);
  if (!value.is_string()) return otherwise;
  const auto seconds = parse_time(value.get<std::string>());
  if (!seconds) return otherwise;  // the schema's pattern has said so
  if (*seconds < least || *seconds > most) {
    report(child(at, key),
           fmt::format("{} is out of range, must be {} to {}", value.get<std::string>(),
                       time_text(least), time_text(most)),
           "write for instance \"1m\"");
  }
  return *seconds;
}

double RuleValues::window(const json& in, const char* key, const std::string& at,
                          double otherwise) {
  return time(in, key, at, otherwise, kShortestWindow, kLongestWindow);
}

std::optional<double> RuleValues::amount(const json& in, const char* key, const std::string& at,
                                         const std::string& unit) {
  const json& value = member(in, key);
  if (value.is_number()) return value.get<double>();
  if (!value.is_string()) return std::nullopt;
  const auto parsed = parse_amount(value.get<std::string>());
  if (!parsed) return std::nullopt;
  if (const auto why = misfit(*parsed, unit)) {
    report(child(at, key), fmt::format("{} is {}", in_quotes(value.get<std::string>()), *why),
           unit.empty() ? "write a number without a unit"
                        : "write it in " + unit + ", or a number without a unit");
  }
  return parsed->value;
}

double RuleValues::share(const json& in, const char* key, const std::string& at, double most) {
  const json& value = member(in, key);
  if (value.is_number()) return value.get<double>();
  if (!value.is_string()) return 0;
  const auto parsed = parse_amount(value.get<std::string>());
  if (!parsed) return 0;
  if (parsed->value > most)
    report(child(at, key),
           fmt::format("{} is more than everything", in_quotes(value.get<std::string>())),
           "at most 100%");
  return parsed->value;
}

void RuleValues::bound(const json& in, const std::string& at, const std::string& unit, Bound& out) {
  out.above = !member(in, "below").is_primitive() || member(in, "below").is_null();
  const char* key = out.above ? "above" : "below";
  out.value = amount(in, key, at, unit).value_or(0);
  out.clear = amount(in, "clear", at, unit);
  if (!out.clear || (out.above ? *out.clear <= out.value : *out.clear >= out.value)) return;
  report(child(at, "clear"),
         fmt::format("is on the wrong side of '{}', the alert could never end", key),
         fmt::format("give {} limit, or remove it", out.above ? "a lower" : "a higher"));
}

const CatalogEntry* RuleValues::selector(const json& in, const char* key, const std::string& at,
                                         Selector& out) {
  const json& value = member(in, key);
  if (!value.is_string()) return nullptr;
  const std::string place = child(at, key);
  auto parsed = parse_selector(value.get<std::string>());
  if (!parsed) {
    report(place, parsed.error().what, parsed.error().remedy);
    return nullptr;
  }
  out = std::move(*parsed);
  const CatalogEntry* family = find_family(out.name);
  if (family == nullptr) {
    const std::string nearest = nearest_family(out.name);
    report(place,
           out.name.empty() ? "no metric family is named"
                            : "there is no series " + in_quotes(out.name),
           nearest.empty() ? "docs/metrics.md lists them" : "did you mean '" + nearest + "'?");
    return nullptr;
  }
  for (const Matcher& matcher : out.matchers) known_label(*family, matcher.label, place);
  return family;
}

void RuleValues::known_label(const CatalogEntry& family, const std::string& label,
                             const std::string& place) {
  if (family.has_label(label)) return;
  const Strings names = family.label_names();
  const std::string nearest = config::nearest_key(label, names);
  report(place, fmt::format("{} has no label {}", family.full_name(), in_quotes(label)),
         !nearest.empty() ? "did you mean '" + nearest + "'?"
         : names.empty()  ? "it has none"
                          : fmt::format("it has {}", fmt::join(names, ", ")));
}

void RuleValues::by(const json& in, const std::string& at, const CatalogEntry* family, Strings& out,
                    bool& each) {
  each = !in.is_object() || !in.contains("by");
  set(member(in, "by"), out);
  if (family == nullptr) return;
  for (std::size_t i = 0; i < out.size(); i++)
    known_label(*family, out[i], child(child(at, "by"), i));
}

const CatalogEntry* RuleValues::measure(const json& in, const std::string& at, Measure& out) {
  const CatalogEntry* family = selector(in, "series", at, out.series);
  if (family != nullptr) out.statistic = usual_statistic(family->type);
  const json& statistic = member(in, "statistic");
  if (!statistic.is_string()) return family;
  const auto parsed = parse_statistic(statistic.get<std::string>());
  if (!parsed) {
    report(child(at, "statistic"), in_quotes(statistic.get<std::string>()) + " is no quantile",
           "p0 to p100");
    return family;
  }
  out.statistic = *parsed;
  if (family == nullptr) return nullptr;
  if (const auto why = misfit(*parsed, family->type)) {
    report(child(at, "statistic"),
           fmt::format("{} has no '{}'", family->full_name(), text_of(*parsed)), *why);
  }
  return family;
}

std::optional<Matchers> RuleValues::where(const json& in, const std::string& at,
                                          const Strings& known) {
  const json& value = member(in, "where");
  if (!value.is_string()) return std::nullopt;
  const std::string at_where = child(at, "where");
  auto parsed = parse_matchers(value.get<std::string>());
  if (!parsed) {
    report(at_where, parsed.error().what, parsed.error().remedy);
    return std::nullopt;
  }
  for (const Matcher& matcher : *parsed) {
    if (contains(known, matcher.label)) continue;
    report(at_where, "there is no label " + in_quotes(matcher.label),
           fmt::format("there are {}", fmt::join(known, ", ")));
  }
  return std::move(*parsed);
}

}  // namespace nz::alerts
