#include "userspace/detected/json.h"

#include <limits>
#include <stdexcept>
#include <utility>
#include <vector>

namespace nz::detected {
namespace {

using nlohmann::json;

json to_json(const std::vector<analysis::Event>& events) {
  json list = json::array();
  for (const analysis::Event& e : events)
    list.push_back({{"at", e.at}, {"kind", e.kind}, {"target", e.target}, {"text", e.text}});
  return list;
}

std::vector<analysis::Event> events_of(const json& in) {
  std::vector<analysis::Event> events;
  for (const json& e : in)
    events.push_back({e.at("at"), e.at("kind"), e.at("target"), e.at("text")});
  return events;
}

void put_quantity(json& out, const analysis::Quantity& of) {
  out["name"] = of.name;
  out["labels"] = of.labels;
  out["statistic"] = of.statistic;
  out["unit"] = of.unit;
}

analysis::Quantity quantity_of(const json& in) {
  analysis::Quantity of;
  of.name = in.at("name");
  in.at("labels").get_to(of.labels);
  of.statistic = in.at("statistic");
  of.unit = in.at("unit");
  return of;
}

}  // namespace

double number_of(const json& in, const char* key) {
  const json& number = in.at(key);
  return number.is_null() ? std::numeric_limits<double>::quiet_NaN() : number.get<double>();
}

json to_json(const analysis::Regression& r) {
  json out = {{"id", r.id},
              {"worse", r.worse},
              {"before", r.before},
              {"after", r.after},
              {"since", r.since},
              {"earliest", r.earliest},
              {"latest", r.latest},
              {"confidence", r.confidence},
              {"moved", r.moved},
              {"events", to_json(r.events)},
              {"state", static_cast<int>(r.state)},
              {"until", r.until}};
  put_quantity(out, r.of);
  return out;
}

void from_json(const json& in, analysis::Regression& r) {
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
  r.events = events_of(in.at("events"));
  const int state = in.at("state");
  if (state < 0 || state > static_cast<int>(analysis::FindingState::resolved))
    throw std::out_of_range("state");
  r.state = static_cast<analysis::FindingState>(state);
  r.until = in.at("until");
}

json to_json(const analysis::Incident& incident) {
  json members = json::array();
  for (const analysis::Anomaly& a : incident.members) {
    json& member = members.emplace_back(
        json{{"at", a.at}, {"value", a.value}, {"expected", a.expected}, {"score", a.score}});
    put_quantity(member, a.of);
  }
  return {{"id", incident.id},
          {"since", incident.since},
          {"until", incident.until},
          {"members", std::move(members)},
          {"events", to_json(incident.events)}};
}

void from_json(const json& in, analysis::Incident& incident) {
  incident.id = in.at("id");
  incident.since = in.at("since");
  incident.until = in.at("until");
  incident.members.clear();
  for (const json& a : in.at("members")) {
    incident.members.push_back({quantity_of(a), a.at("at"), number_of(a, "value"),
                                number_of(a, "expected"), a.at("score")});
  }
  incident.events = events_of(in.at("events"));
}

}  // namespace nz::detected
