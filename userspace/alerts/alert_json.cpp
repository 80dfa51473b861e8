#include "userspace/alerts/alert_json.h"

#include <cmath>
#include <stdexcept>

namespace nz::alerts {

using nlohmann::json;

json pairs_to_json(const std::vector<std::pair<std::string, std::string>>& pairs) {
  json out = json::object();
  for (const auto& [key, value] : pairs) out[key] = value;
  return out;
}

std::vector<std::pair<std::string, std::string>> pairs_from_json(const json& in) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const auto& [key, value] : in.items()) pairs.emplace_back(key, value.get<std::string>());
  return pairs;
}

json to_json(const Alert& alert) {
  return {{"rule", alert.rule},
          {"kind", alert.kind},
          {"fingerprint", alert.fingerprint()},
          {"labels", pairs_to_json(alert.labels)},
          {"annotations", pairs_to_json(alert.annotations)},
          {"severity", word(alert.severity)},
          {"state", word(alert.state)},
          // JSON has no infinity; what is no number is null.
          {"value", std::isfinite(alert.value) ? json(alert.value) : json()},
          {"value_text", value_text(alert.value, alert.unit)},
          {"unit", alert.unit},
          {"active_since", alert.active_since},
          {"fired_at", alert.fired_at},
          {"resolved_at", alert.resolved_at},
          {"flapping", alert.flapping},
          {"silenced_by", alert.silenced_by},
          {"receivers", alert.receivers}};
}

Alert alert_from_json(const json& in) {
  Alert alert;
  alert.rule = in.at("rule").get<std::string>();
  alert.kind = in.at("kind").get<std::string>();
  alert.labels = pairs_from_json(in.at("labels"));
  alert.annotations = pairs_from_json(in.at("annotations"));
  alert.severity = parse_severity(in.at("severity").get<std::string>()).value_or(Severity::warning);
  const auto state = in.at("state").get<std::string>();
  bool known = false;
  for (const State one : {State::pending, State::firing, State::resolved}) {
    if (state != word(one)) continue;
    alert.state = one;
    known = true;
  }
  if (!known) throw std::invalid_argument("no state is called " + state);
  alert.value = in.at("value").is_number() ? in.at("value").get<double>() : std::nan("");
  alert.unit = in.at("unit").get<std::string>();
  alert.active_since = in.at("active_since").get<double>();
  alert.fired_at = in.at("fired_at").get<double>();
  alert.resolved_at = in.at("resolved_at").get<double>();
  alert.flapping = in.at("flapping").get<bool>();
  alert.silenced_by = in.at("silenced_by").get<std::string>();
  alert.receivers = in.at("receivers").get<std::vector<std::string>>();
  return alert;
}

std::string dump(const json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace nz::alerts
