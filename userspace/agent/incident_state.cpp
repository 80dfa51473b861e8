#include "userspace/agent/incident_state.h"

#include <stdexcept>
#include <utility>

#include "userspace/agent/state_json.h"
#include "userspace/detected/json.h"

namespace nz::agent {
namespace {

using analysis::IncidentGrouper;
using nlohmann::json;
constexpr int kIncidentsVersion = 1;

json to_json(const IncidentGrouper::Open& open) {
  json out = detected::to_json(open.incident);
  out["last_joined"] = open.last_joined;
  out["last_seen"] = open.last_seen;
  return out;
}

IncidentGrouper::Open incident_of(const json& in) {
  IncidentGrouper::Open open;
  detected::from_json(in, open.incident);
  if (open.incident.members.empty()) throw std::out_of_range("members");
  open.incident.events.clear();
  open.last_joined = in.at("last_joined");
  open.last_seen = in.at("last_seen");
  return open;
}

}  // namespace

std::string save_incidents(const std::vector<IncidentGrouper::Open>& incidents) {
  json open = json::array();
  for (const IncidentGrouper::Open& incident : incidents) open.push_back(to_json(incident));
  return state_text(kIncidentsVersion, {{"open", std::move(open)}});
}

Result<std::vector<IncidentGrouper::Open>> restore_incidents(std::string_view saved) {
  return restore_state(saved, kIncidentsVersion, [](const json& in) {
    std::vector<IncidentGrouper::Open> incidents;
    for (const json& incident : in.at("open")) incidents.push_back(incident_of(incident));
    return incidents;
  });
}

}  // namespace nz::agent
