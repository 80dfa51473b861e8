#include <fnmatch.h>

#include <algorithm>
#include <set>

#include "userspace/rest/answers.h"
#include "userspace/rest/page.h"
#include "userspace/rest/query.h"
#include "userspace/rest/render.h"

namespace nz::rest {
namespace {

constexpr double kDefaultWindow = 60, kLongestWindow = 86400;

bool is_glob(std::string_view text) { return text.find_first_of("*?[") != std::string_view::npos; }

bool belongs_to(const analysis::Labels& labels, const std::string& target) {
  return std::find(labels.begin(), labels.end(),
                   std::pair<std::string, std::string>{"target", target}) != labels.end();
}

// The names that `target` and `family` may have, for what is unknown.
void check_names(const View& view, Query& query) {
  const auto target = query.text("target");
  const auto family = query.text("family");
  if (!target && !family) return;
  std::set<std::string> targets;
  std::vector<std::string> names;
  for (const auto& f : view.families) {
    names.push_back(f.name);
    for (const auto& sample : f.samples) {
      for (const auto& [label, value] : sample.labels) {
        if (label == "target") targets.insert(value);
      }
    }
  }
  if (target && !targets.contains(*target))
    query.unknown("target", "target", *target, {targets.begin(), targets.end()});
  if (family && !is_glob(*family) && std::find(names.begin(), names.end(), *family) == names.end())
    query.unknown("family", "family", *family, names);
}

std::string key_of(const analysis::WindowSeries& series) {
  std::string key = series.name;
  for (const auto& [label, value] : series.labels) key += '\n' + label + '\n' + value;
  return key;
}

}  // namespace

http::Response metrics_answer(const Source& source, const View& view,
                              const http::Request& request) {
  Query query(request, {"window", "target", "family", "limit", "cursor"}, view.at);
  const double seconds =
      query.seconds("window", kDefaultWindow, source.history().resolution(), kLongestWindow);
  const PageRequest page_request = query.page();
  check_names(view, query);
  if (!query.ok()) return query.refusal();

  const auto target = query.text("target");
  const auto family = query.text("family");
  const auto wanted = [&](const std::string& name, const analysis::Labels& labels) {
    return (!target || belongs_to(labels, *target)) &&
           (!family || fnmatch(family->c_str(), name.c_str(), 0) == 0);
  };
  const double newest = source.history().newest();
  const auto window = source.window(newest - seconds, newest,
                                    [&](const std::string& name, const analysis::Labels& labels) {
                                      return name == kDrops || wanted(name, labels);
                                    });
  if (!(window.seconds() > 0)) {
    auto response = http::problem(
        503, "There is one point in time yet, and rates need two; ask again in a second.",
        request.path);
    response.headers.emplace_back("Retry-After", "1");
    return response;
  }
  std::vector<std::pair<std::string, const analysis::WindowSeries*>> found;
  for (const auto& series : window.series) {
    if (wanted(series.name, series.labels)) found.emplace_back(key_of(series), &series);
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> keys;
  for (const auto& [key, series] : found) keys.push_back(key);
  const Page page = page_of(keys, page_request);

  const TypeOf type = types_of(view);
  Json rows = Json::array();
  for (std::size_t i = page.begin; i < page.end; i++) {
    rows.push_back(series_json(*found[i].second, type(*found[i].second), window.seconds()));
  }
  return json_answer(dumped(
      {{"range", range_json(window.from, window.to)},
       {"completeness", completeness(source, view, window, newest - seconds)},
       {"units", {{"time", "RFC 3339, UTC"}, {"values", "unit and rate_unit of each series"}}},
       {"page", to_json(page)},
       {"metrics", std::move(rows)}}));
}

}  // namespace nz::rest
