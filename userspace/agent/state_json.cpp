#include "userspace/agent/state_json.h"

#include <limits>

namespace nz::agent {

using nlohmann::json;

json event_json(const analysis::Event& event) {
  return {{"at", event.at}, {"kind", event.kind}, {"target", event.target}, {"text", event.text}};
}

analysis::Event event_of(const json& in) {
  return {in.at("at"), in.at("kind"), in.at("target"), in.at("text")};
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

double number_of(const json& in, const char* key) {
  const json& number = in.at(key);
  return number.is_null() ? std::numeric_limits<double>::quiet_NaN() : number.get<double>();
}

std::string state_text(int version, json state) {
  state["version"] = version;
  return state.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace nz::agent
