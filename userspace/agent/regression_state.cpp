#include "userspace/agent/regression_state.h"

#include <nlohmann/json.hpp>

namespace nz::agent {
namespace {

using nlohmann::json;
constexpr int kVersion = 1;

json to_json(const analysis::Event& event) {
  return {{"at", event.at}, {"kind", event.kind}, {"target", event.target}, {"text", event.text}};
}

analysis::Event event_of(const json& in) {
  return {in.at("at"), in.at("kind"), in.at("target"), in.at("text")};
}

json to_json(const analysis::Regression& r) {
  json events = json::array();
  for (const analysis::Event& event : r.events) events.push_back(to_json(event));
  return {{"id", r.id},
          {"name", r.of.name},
          {"labels", r.of.labels},
          {"statistic", r.of.statistic},
          {"unit", r.of.unit},
          {"worse", r.worse},
          {"before", r.before},
          {"after", r.after},
          {"since", r.since},
          {"earliest", r.earliest},
          {"latest", r.latest},
          {"confidence", r.confidence},
          {"moved", r.moved},
          {"events", std::move(events)},
          {"state", static_cast<int>(r.state)},
          {"until", r.until}};
}

analysis::Regression regression_of(const json& in) {
  analysis::Regression r;
  r.id = in.at("id");
  r.of.name = in.at("name");
  in.at("labels").get_to(r.of.labels);
  r.of.statistic = in.at("statistic");
  r.of.unit = in.at("unit");
  r.worse = in.at("worse");
  r.before = in.at("before");
  r.after = in.at("after");
  r.since = in.at("since");
  r.earliest = in.at("earliest");
  r.latest = in.at("latest");
  r.confidence = in.at("confidence");
  in.at("moved").get_to(r.moved);
  for (const json& event : in.at("events")) r.events.push_back(event_of(event));
  const int state = in.at("state");
  if (state < 0 || state > static_cast<int>(analysis::FindingState::resolved))
    throw std::out_of_range("state");
  r.state = static_cast<analysis::FindingState>(state);
  r.until = in.at("until");
  return r;
}

}  // namespace

std::string save_regressions(const std::vector<analysis::Regression>& regressions) {
  json list = json::array();
  for (const analysis::Regression& r : regressions) list.push_back(to_json(r));
  return json{{"version", kVersion}, {"regressions", std::move(list)}}.dump(
      -1, ' ', false, json::error_handler_t::replace);
}

Result<std::vector<analysis::Regression>> restore_regressions(std::string_view saved) {
  try {
    const json in = json::parse(saved);
    if (in.at("version") != kVersion) return fail("another version wrote it");
    std::vector<analysis::Regression> regressions;
    for (const json& r : in.at("regressions")) regressions.push_back(regression_of(r));
    return regressions;
  } catch (const std::exception& e) {  // json's and the range of `state`
    return fail(e.what());
  }
}

}  // namespace nz::agent
