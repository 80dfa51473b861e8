#include "userspace/rest/render.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <unordered_map>

#include "userspace/metrics/unit.h"
#include "userspace/rest/time.h"

namespace nz::rest {
namespace {

using metrics::Type;

// Points lie a resolution apart: a range that begins a little before the first has it whole.
bool covered(const Source& source, double from) {
  return source.oldest() != 0 && from >= source.oldest() - source.history().resolution();
}

std::string label_of(const analysis::Labels& labels, std::string_view key) {
  for (const auto& [label, value] : labels) {
    if (label == key) return value;
  }
  return "";
}

}  // namespace

Json range_json(double from, double to) {
  return {{"from", format_time(from)}, {"to", format_time(to)}, {"seconds", to - from}};
}

Json completeness(const Source& source, const View& view, const analysis::Window& window,
                  double from) {
  Json drops = Json::array();
  for (const analysis::WindowSeries* s : window.find(kDrops)) {
    if (s->change == 0) continue;
    drops.push_back({{"probe", label_of(s->labels, "probe")},
                     {"cause", label_of(s->labels, "cause")},
                     {"events", s->change}});
  }
  Json unattached = Json::array();
  for (const Unattached& u : view.unattached) {
    unattached.push_back({{"probe", u.probe}, {"target", u.target}, {"reason", u.reason}});
  }
  const history::History& history = source.history();
  const bool whole = covered(source, from);
  Json j{{"complete", drops.empty() && unattached.empty() && whole},
         {"range_covered", whole},
         {"history_from", nullptr},
         {"points_evicted", history.evicted()},
         {"drops", std::move(drops)},
         {"unattached", std::move(unattached)}};
  if (source.oldest() != 0) j["history_from"] = format_time(source.oldest());
  return j;
}

Json completeness(const Source& source, const View& view, double from, double to) {
  const auto window = source.window(
      from, to, [](const std::string& name, const analysis::Labels&) { return name == kDrops; });
  return completeness(source, view, window, from);
}

Json labels_json(const analysis::Labels& labels) {
  Json j = Json::object();
  for (const auto& [label, value] : labels) j[label] = value;
  return j;
}

Json series_json(const analysis::WindowSeries& series, Type type, double seconds) {
  Json j{{"name", series.name},
         {"type", name_of(type)},
         {"unit", metrics::unit(series.name)},
         {"labels", labels_json(series.labels)}};
  if (series.histogram) {
    const analysis::Histogram& h = *series.histogram;
    const auto count = h.count();
    j["rate_unit"] = metrics::rate_unit(series.name, type);
    j["count"] = count;
    j["rate"] = static_cast<double>(count) / seconds;
    j["mean"] = h.mean_seconds();
    for (const auto& [name, q] :
         {std::pair{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}})
      j[name] = h.quantile(q);
    j["max"] = count == 0 ? Json() : Json(static_cast<double>(h.max_ns) / 1e9);
  } else if (type == Type::counter) {
    j["rate_unit"] = metrics::rate_unit(series.name, type);
    j["rate"] = series.change / seconds;
    j["change"] = series.change;
    j["value"] = series.value;
  } else {
    j["value"] = series.value;
    j["least"] = series.least;
    j["most"] = series.most;
  }
  return j;
}

Json finding_json(const analysis::Finding& f) {
  Json evidence = Json::array();
  for (const analysis::Evidence& e : f.evidence) {
    evidence.push_back(
        {{"series", e.series}, {"text", e.text}, {"value", e.value}, {"unit", e.unit}});
  }
  return {{"id", f.id},
          {"kind", f.kind},
          {"target", f.target},
          {"where", f.where},
          {"title", f.title},
          {"severity", name_of(f.severity)},
          {"state", name_of(f.state)},
          {"impact", f.impact},
          {"impact_seconds", f.impact_seconds},
          {"confidence", f.confidence},
          {"since", format_time(f.since)},
          {"until", f.until == 0 ? Json() : Json(format_time(f.until))},
          {"range", range_json(f.from, f.to)},
          {"evidence", std::move(evidence)},
          {"recommendation", f.recommendation}};
}

Json slow_statement_json(const analysis::SlowStatement& s) {
  std::vector<std::string> advice = s.advice;
  advice.insert(advice.end(), s.settings.begin(), s.settings.end());
  return {{"at", format_time(s.at)}, {"target", s.target}, {"database", s.database},
          {"digest", s.digest},      {"sql", s.sql},       {"stage", s.stage},
          {"plan", s.plan},          {"pid", s.pid},       {"tid", s.tid},
          {"result", s.result},      {"inside", s.inside}, {"open", s.open},
          {"busy", s.busy},          {"sync", s.sync},     {"checkpoint", s.checkpoint},
          {"rows", s.rows},          {"advice", advice}};
}

Json hot_function_json(const analysis::HotFunction& f) {
  return {{"target", f.target},
          {"function", f.function},
          {"module", f.module},
          {"share", f.share},
          {"share_before", f.before ? Json(*f.before) : Json()},
          {"samples", f.samples}};
}

const char* name_of(analysis::Severity severity) {
  constexpr std::array kNames{"info", "warning", "critical"};
  return kNames.at(static_cast<std::size_t>(severity));
}
const char* name_of(analysis::FindingState state) {
  constexpr std::array kNames{"open", "ongoing", "resolved"};
  return kNames.at(static_cast<std::size_t>(state));
}
const char* name_of(Type type) {
  return type == Type::counter ? "counter" : type == Type::gauge ? "gauge" : "histogram";
}

TypeOf types_of(const View& view) {
  std::unordered_map<std::string, Type> types;
  for (const metrics::Family& family : view.families) types.emplace(family.name, family.type);
  return [types = std::move(types)](const analysis::WindowSeries& series) {
    if (series.histogram) return Type::histogram;
    if (const auto known = types.find(series.name); known != types.end()) return known->second;
    return series.name.ends_with("_total") ? Type::counter : Type::gauge;
  };
}

std::string dumped(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace nz::rest
