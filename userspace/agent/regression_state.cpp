#include "userspace/agent/regression_state.h"

#include <stdexcept>
#include <utility>

#include "userspace/agent/state_json.h"

namespace nz::agent {
namespace {

using nlohmann::json;
constexpr int kVersion = 1;

json to_json(const analysis::Regression& r) {
  json events = json::array();
  for (const analysis::Event& event : r.events) events.push_back(event_json(event));
  json out = {{"id", r.id},
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
  put_quantity(out, r.of);
  return out;
}

analysis::Regression regression_of(const json& in) {
  analysis::Regression r;
  r.id = in.at("id");
  r.of = quantity_of(in);
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
  return state_text(kVersion, {{"regressions", std::move(list)}});
}

Result<std::vector<analysis::Regression>> restore_regressions(std::string_view saved) {
  return restore_state(saved, kVersion, [](const json& in) {
    std::vector<analysis::Regression> regressions;
    for (const json& r : in.at("regressions")) regressions.push_back(regression_of(r));
    return regressions;
  });
}

}  // namespace nz::agent
