#include "userspace/fleet/prometheus.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "userspace/base/plain_text.h"

namespace nz::fleet {
namespace {

using nlohmann::json;

constexpr std::size_t kMostShown = 500;  // bytes of an error of the server

// [1795769400.123, "0.5"]; what cannot be read is a gap.
history::Point point_of(const json& pair) {
  if (!pair.is_array() || pair.size() != 2 || !pair[0].is_number() || !pair[1].is_string())
    return {0, NAN};
  const auto& text = pair[1].get_ref<const std::string&>();
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  return {pair[0].get<double>(), end == text.c_str() ? NAN : value};
}

Series series_of(const json& row) {
  Series series;
  if (row.contains("metric") && row["metric"].is_object()) {
    for (const auto& [label, value] : row["metric"].items()) {
      if (value.is_string()) series.labels[label] = value.get<std::string>();
    }
  }
  const auto add = [&](const json& pair) {
    const history::Point p = point_of(pair);
    if (p.at > 0) series.points.push_back(p);
  };
  if (row.contains("values") && row["values"].is_array()) {
    for (const json& pair : row["values"]) add(pair);
  } else if (row.contains("value")) {
    add(row["value"]);
  }
  return series;
}

}  // namespace

Result<Answer> parse_answer(const std::string& body, const std::string& place) {
  const json j = json::parse(body, nullptr, false);
  if (!j.is_object() || !j.contains("status"))
    return fail(place + " answers no JSON of Prometheus' API",
                "name its own address, with the path that it is served under");
  if (j["status"] != "success" || !j.contains("data") || !j["data"].is_object() ||
      !j["data"].contains("result") || !j["data"]["result"].is_array()) {
    const bool told = j.contains("error") && j["error"].is_string();
    return fail(place +
                (told ? ": " + plain_text(j["error"].get_ref<const std::string&>(), kMostShown)
                      : std::string(" answers without a result")));
  }
  Answer answer;
  for (const json& row : j["data"]["result"]) {
    if (row.is_object()) answer.series.push_back(series_of(row));
  }
  for (const char* member : {"warnings", "infos"}) {
    if (!j.contains(member) || !j[member].is_array()) continue;
    for (const json& text : j[member]) {
      if (text.is_string()) answer.warnings.push_back(text.get<std::string>());
    }
  }
  return answer;
}

Result<Answer> Prometheus::ask(const std::string& path, const client::Query& query,
                               const std::string& promql) {
  const auto reply = client_.get(path, query);
  if (!reply) return tl::unexpected(reply.error());
  if (reply->status != 200) {
    Error error = client_.refusal(*reply, path);
    if (reply->status == 400 || reply->status == 422) error.what += "; the query: " + promql;
    return tl::unexpected(error);
  }
  return parse_answer(reply->body, client_.url() + path);
}

Result<Answer> Prometheus::range(const std::string& promql, double from, double to, double step) {
  return ask("/api/v1/query_range",
             {{"query", promql},
              {"start", fmt::format("{:.3f}", from)},
              {"end", fmt::format("{:.3f}", to)},
              {"step", fmt::format("{:.3f}", step)}},
             promql);
}

Result<Answer> Prometheus::at(const std::string& promql, double time) {
  return ask("/api/v1/query", {{"query", promql}, {"time", fmt::format("{:.3f}", time)}}, promql);
}

}  // namespace nz::fleet
