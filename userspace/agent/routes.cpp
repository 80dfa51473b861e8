#include "userspace/agent/routes.h"

#include <nlohmann/json.hpp>

#include "userspace/export/exposition.h"

namespace nz::agent {
namespace {

using http::Request;
using http::Response;

Response answer(std::string body, int status = 200) {
  Response response;
  response.status = status;
  response.content_type = "application/json";
  response.body = std::move(body);
  return response;
}

Response not_ready(const Request& request) {
  return http::problem(503,
                       "the agent is starting: no drain has been made yet; ask again in a second",
                       request.path);
}

// Buckets sparse, as [index, count] pairs: most are empty.
nlohmann::json live(const metrics::Sample& sample) {
  nlohmann::json j;
  for (const auto& [key, value] : sample.labels) j["labels"][key] = value;
  if (!sample.histogram) {
    j["value"] = sample.value;
    return j;
  }
  const analysis::Histogram& h = *sample.histogram;
  j["zero"] = h.zero;
  j["overflow"] = h.overflow;
  j["sum_ns"] = h.sum_ns;
  j["window_min_ns"] = h.min_ns;
  j["window_max_ns"] = h.max_ns;
  j["buckets"] = nlohmann::json::array();
  for (size_t i = 0; i < h.buckets.size(); i++) {
    if (h.buckets[i] != 0) j["buckets"].push_back({i, h.buckets[i]});
  }
  return j;
}

std::string live_json(const Snapshot& snapshot) {
  nlohmann::json j = nlohmann::json::object();
  for (const metrics::Family& family : snapshot.families) {
    nlohmann::json& samples = j[family.name] = nlohmann::json::array();
    for (const metrics::Sample& sample : family.samples) samples.push_back(live(sample));
  }
  return j.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::vector<http::Route> routes(const std::shared_ptr<SnapshotBox>& snapshots) {
  const auto metrics = [snapshots](const Request& request) {
    const auto snapshot = snapshots->get();
    if (!snapshot) return not_ready(request);
    const auto format = exposition::negotiate(request.header("Accept"));
    Response response;
    response.content_type = exposition::content_type(format);
    response.body = exposition::render(snapshot->families, format);
    return response;
  };
  const auto healthz = [snapshots](const Request& request) {
    const auto snapshot = snapshots->get();
    if (!snapshot) return not_ready(request);
    return answer(snapshot->health, snapshot->healthy ? 200 : 503);
  };
  const auto readyz = [snapshots](const Request& request) {
    if (!snapshots->get()) return not_ready(request);
    Response response;
    response.body = "ready\n";
    return response;
  };
  const auto live = [snapshots](const Request& request) {
    const auto snapshot = snapshots->get();
    return snapshot ? answer(live_json(*snapshot)) : not_ready(request);
  };
  return {{"GET", "/metrics", metrics},
          {"GET", "/healthz", healthz},
          {"GET", "/readyz", readyz},
          {"GET", "/live.json", live}};
}

}  // namespace nz::agent
