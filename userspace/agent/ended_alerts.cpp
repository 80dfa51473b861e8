#include "userspace/agent/ended_alerts.h"

#include <utility>

#include "userspace/agent/state_json.h"

namespace nz::agent {
namespace {

using nlohmann::json;
constexpr int kAlertsVersion = 1;

json to_json(const report::Alert& a) {
  return {{"rule", a.rule}, {"severity", a.severity}, {"target", a.target},
          {"text", a.text}, {"since", a.since},       {"until", a.until}};
}

report::Alert alert_of(const json& in) {
  report::Alert a;
  a.rule = in.at("rule");
  a.severity = in.at("severity");
  a.target = in.at("target");
  a.text = in.at("text");
  a.since = in.at("since");
  a.until = in.at("until");
  return a;
}

}  // namespace

void EndedAlerts::add(report::Alert alert) {
  all_.push_back(std::move(alert));
  if (all_.size() > kMost) all_.pop_front();
}

std::string EndedAlerts::save() const {
  json list = json::array();
  for (const report::Alert& a : all_) list.push_back(to_json(a));
  return state_text(kAlertsVersion, {{"alerts", std::move(list)}});
}

Result<void> EndedAlerts::restore(std::string_view saved) {
  auto restored = restore_state(saved, kAlertsVersion, [](const json& in) {
    EndedAlerts ended;
    for (const json& alert : in.at("alerts")) ended.add(alert_of(alert));
    return ended;
  });
  if (!restored) return tl::unexpected(restored.error());
  *this = std::move(*restored);
  return {};
}

}  // namespace nz::agent
