#include "userspace/agent/incident_state.h"

#include <stdexcept>
#include <utility>

#include "userspace/agent/state_json.h"

namespace nz::agent {
namespace {

using analysis::IncidentGrouper;
using nlohmann::json;
constexpr int kVersion = 1;

json to_json(const analysis::Anomaly& a) {
  json out = {{"at", a.at}, {"value", a.value}, {"expected", a.expected}, {"score", a.score}};
  put_quantity(out, a.of);
  return out;
}

analysis::Anomaly anomaly_of(const json& in) {
  return {quantity_of(in), in.at("at"), number_of(in, "value"), number_of(in, "expected"),
          in.at("score")};
}

json to_json(const IncidentGrouper::Open& open) {
  json members = json::array();
  for (const analysis::Anomaly& a : open.incident.members) members.push_back(to_json(a));
  return {{"id", open.incident.id},
          {"since", open.incident.since},
          {"members", std::move(members)},
          {"last_joined", open.last_joined},
          {"last_seen", open.last_seen}};
}

IncidentGrouper::Open incident_of(const json& in) {
  IncidentGrouper::Open open;
  open.incident.id = in.at("id");
  open.incident.since = in.at("since");
  for (const json& a : in.at("members")) open.incident.members.push_back(anomaly_of(a));
  if (open.incident.members.empty()) throw std::out_of_range("members");
  open.last_joined = in.at("last_joined");
  open.last_seen = in.at("last_seen");
  return open;
}

}  // namespace

std::string save_incidents(const std::vector<IncidentGrouper::Open>& incidents) {
  json open = json::array();
  for (const IncidentGrouper::Open& incident : incidents) open.push_back(to_json(incident));
  return state_text(kVersion, {{"open", std::move(open)}});
}

Result<std::vector<IncidentGrouper::Open>> restore_incidents(std::string_view saved) {
  return restore_state(saved, kVersion, [](const json& in) {
    std::vector<IncidentGrouper::Open> incidents;
    for (const json& incident : in.at("open")) incidents.push_back(incident_of(incident));
    return incidents;
  });
}

}  // namespace nz::agent
