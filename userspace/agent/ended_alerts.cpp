#include "userspace/agent/ended_alerts.h"

#include <exception>
#include <nlohmann/json.hpp>
#include <utility>

namespace nz::agent {
namespace {

using nlohmann::json;
constexpr int kAlertsVersion = 1;

}  // namespace

void EndedAlerts::add(report::Alert alert) {
  all_.push_back(std::move(alert));
  if (all_.size() > kMost) all_.pop_front();
}

std::string EndedAlerts::save() const {
  json list = json::array();
  for (const report::Alert& a : all_) {
    list.push_back({{"rule", a.rule},
                    {"severity", a.severity},
                    {"target", a.target},
                    {"text", a.text},
                    {"since", a.since},
                    {"until", a.until}});
  }
  return json{{"version", kAlertsVersion}, {"alerts", std::move(list)}}.dump(
      -1, ' ', false, json::error_handler_t::replace);
}

Result<void> EndedAlerts::restore(std::string_view saved) {
  try {
    const json in = json::parse(saved);
    if (in.at("version").get<int>() != kAlertsVersion)
      return fail("alerts that have ended: version " + in.at("version").dump());
    std::deque<report::Alert> all;
    for (const json& a : in.at("alerts")) {
      all.push_back({a.at("rule").get<std::string>(), a.at("severity").get<std::string>(),
                     a.at("target").get<std::string>(), a.at("text").get<std::string>(),
                     a.at("since").get<double>(), a.at("until").get<double>()});
      if (all.size() > kMost) all.pop_front();
    }
    all_ = std::move(all);
    return {};
  } catch (const std::exception& e) {
    return fail(std::string("alerts that have ended: ") + e.what());
  }
}

}  // namespace nz::agent
