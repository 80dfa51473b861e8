#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "userspace/rest/answers.h"
#include "userspace/rest/query.h"
#include "userspace/rest/render.h"
#include "userspace/rest/slope.h"

namespace nz::rest {
namespace {

using metrics::Type;

constexpr double kTrendRange = 900;
constexpr double kDefaultPoints = 120, kMostPoints = 11'000;  // as Prometheus has it

const metrics::Family* family_of(const View& view, const std::string& name) {
  const auto known =
      std::find_if(view.families.begin(), view.families.end(),
                   [&](const metrics::Family& family) { return family.name == name; });
  return known == view.families.end() ? nullptr : &*known;
}

void refuse_series(const View& view, Query& query) {
  const auto name = query.text("series");
  if (!name) {
    query.mistake("series", "it is missing",
                  "name a metric family; /performance/metrics lists them");
    return;
  }
  std::vector<std::string> names;
  for (const auto& family : view.families) names.push_back(family.name);
  query.unknown("series", "series", *name, names);
}

analysis::Labels labels_of(const metrics::Family* family, Query& query) {
  analysis::Labels labels;
  std::set<std::string> known;
  if (family != nullptr) {
    for (const auto& sample : family->samples) {
      for (const auto& [label, value] : sample.labels) known.insert(label);
    }
  }
  for (const std::string& text : query.all("label")) {
    const std::size_t colon = text.find(':');
    if (colon == std::string::npos || colon == 0) {
      query.mistake("label", "'" + text.substr(0, 100) + "' is no pair",
                    "write label=key:value, for example label=stage:risk");
      continue;
    }
    labels.emplace_back(text.substr(0, colon), text.substr(colon + 1));
    if (family != nullptr && !known.contains(labels.back().first))
      query.unknown("label", "label of " + family->name, labels.back().first,
                    {known.begin(), known.end()});
  }
  return labels;
}

// What of the series is shown, into `selector`; the name of it for the answer.
std::string statistic_of(const metrics::Family& family, Query& query, history::Selector& selector) {
  const auto given = query.text("quantile");
  if (family.type != Type::histogram) {
    const std::string natural = family.type == Type::counter ? "rate" : "value";
    if (given && *given != natural) {
      query.mistake("quantile",
                    fmt::format("{} is a {}: it has no '{}'", family.name, name_of(family.type),
                                given->substr(0, 40)),
                    "leave it out, or give '" + natural + "'");
    }
    return natural;
  }
  if (given == "rate") return "rate";
  if (given == "mean") {
    selector.mean = true;
    return "mean";
  }
  double q = 0.99;
  if (given) {
    const char* end = given->data() + given->size();
    const auto [stop, error] = std::from_chars(given->data(), end, q);
    if (error != std::errc{} || stop != end || !(q >= 0 && q <= 1)) {
      query.mistake("quantile", "'" + given->substr(0, 40) + "' is none of what it may be",
                    "give a number from 0 to 1, 'mean' or 'rate'");
      return "";
    }
  }
  selector.quantile = q;
  return fmt::format("{}", q);
}

// A step that gives some 120 points, a multiple of how often history keeps one.
double default_step(double seconds, double resolution) {
  return std::max(1.0, std::ceil(seconds / kDefaultPoints / resolution)) * resolution;
}

std::size_t series_that_match(const metrics::Family& family, const analysis::Labels& labels) {
  return static_cast<std::size_t>(std::count_if(
      family.samples.begin(), family.samples.end(),
      [&](const auto& sample) { return analysis::has_labels(sample.labels, labels); }));
}

void check_points(double steps, std::size_t series, double seconds, double resolution,
                  Query& query) {
  const double points = std::ceil(steps) * static_cast<double>(std::max<std::size_t>(series, 1));
  if (points <= kMostPoints) return;
  const double step =
      std::ceil(seconds * static_cast<double>(series) / kMostPoints / resolution) * resolution;
  query.mistake(
      "step",
      fmt::format("{:.0f} points in {} series are more than {:.0f}", points, series, kMostPoints),
      fmt::format("give step={:.0f}s or more, or select fewer series with label=",
                  std::max(step, resolution)));
}

// Only where it is asked for: every pair of points is looked at.
bool wants_slope(Query& query) {
  const auto given = query.text("slope");
  if (given && *given != "true" && *given != "false")
    query.mistake("slope", "'" + given->substr(0, 40) + "' is none of what it may be",
                  "give true or false");
  return given == "true";
}

Json trend_json(const history::Trend& trend, bool with_slope) {
  Json points = Json::array();
  for (const history::Point& p : trend.points) {
    points.push_back({std::round(p.at * 1e3) / 1e3, p.value});  // NaN becomes null
  }
  Json j{
      {"labels", labels_json(trend.labels)}, {"unit", trend.unit}, {"points", std::move(points)}};
  if (with_slope) j["slope"] = slope_json(trend);
  return j;
}

}  // namespace

http::Response trends_answer(const Source& source, const View& view, const http::Request& request) {
  Query query(request, {"series", "label", "quantile", "from", "to", "step", "slope"}, view.at,
              {"label"});
  const double resolution = source.history().resolution();
  const std::string name = query.text("series").value_or("");
  const metrics::Family* family = family_of(view, name);
  // A service that is gone is asked for afterwards: what nothing has now history may know.
  std::optional<metrics::Family> past;
  if (family == nullptr || family->samples.empty()) past = source.family(name);
  if (past) family = &*past;
  if (family == nullptr) refuse_series(view, query);
  history::Selector selector;
  selector.labels = labels_of(family, query);
  std::string statistic;
  if (family != nullptr) {
    selector.name = family->name;
    statistic = statistic_of(*family, query, selector);
  }
  const Range range = query.range(kTrendRange);
  const double seconds = range.to - range.from;
  const double step =
      query.seconds("step", query.ok() ? default_step(seconds, resolution) : resolution, resolution,
                    366 * 86400.0);
  const bool with_slope = wants_slope(query);
  if (query.ok())
    check_points(seconds / step, series_that_match(*family, selector.labels), seconds, resolution,
                 query);
  if (!query.ok()) return query.refusal();

  Json trends = Json::array();
  for (const history::Trend& trend : source.trends(selector, range.from, range.to, step)) {
    trends.push_back(trend_json(trend, with_slope));
  }
  return json_answer(dumped(
      {{"range", range_json(range.from, range.to)},
       {"completeness", completeness(source, view, range.from, range.to)},
       {"units", {{"time", "Unix seconds, end of the step"}, {"values", "unit of each trend"}}},
       {"series", family->name},
       {"type", name_of(family->type)},
       {"statistic", statistic},
       {"step", step},
       {"trends", std::move(trends)}}));
}

}  // namespace nz::rest
