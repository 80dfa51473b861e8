#include "userspace/alerts/payload.h"

#include <algorithm>
#include <map>

#include "userspace/alerts/alert_json.h"

namespace nz::alerts {
namespace {

using nlohmann::json;

constexpr const char* kZeroTime = "0001-01-01T00:00:00Z";  // Go's zero: it has not ended

/// What all alerts of a message agree in.
json common(const std::vector<Alert>& alerts,
            std::vector<std::pair<std::string, std::string>> Alert::*which) {
  std::map<std::string, std::string> shared;
  bool first = true;
  for (const Alert& alert : alerts) {
    const std::map<std::string, std::string> own((alert.*which).begin(), (alert.*which).end());
    if (first) {
      shared = own;
      first = false;
      continue;
    }
    std::erase_if(shared, [&](const auto& pair) {
      const auto found = own.find(pair.first);
      return found == own.end() || found->second != pair.second;
    });
  }
  return json(shared);
}

}  // namespace

std::string alertmanager_body(const Outbox::Message& message, double now, double resend,
                              const std::string& generator) {
  json out = json::array();
  for (const Alert& alert : message.alerts) {
    const double end = alert.state == State::resolved ? alert.resolved_at : now + 4 * resend;
    out.push_back({{"labels", pairs_to_json(alert.labels)},
                   {"annotations", pairs_to_json(alert.annotations)},
                   // Alertmanager refuses what ends before it starts.
                   {"startsAt", rfc3339(std::min(alert.active_since, end))},
                   {"endsAt", rfc3339(end)},
                   {"generatorURL", generator}});
  }
  return dump(out);
}

std::string webhook_body(const Outbox::Message& message, const std::string& receiver,
                         const std::string& generator) {
  bool firing = false;
  json alerts = json::array();
  for (const Alert& alert : message.alerts) {
    const bool fires = alert.state == State::firing;
    firing = firing || fires;
    alerts.push_back({{"status", fires ? "firing" : "resolved"},
                      {"labels", pairs_to_json(alert.labels)},
                      {"annotations", pairs_to_json(alert.annotations)},
                      {"startsAt", rfc3339(alert.active_since)},
                      {"endsAt", fires ? kZeroTime : rfc3339(alert.resolved_at)},
                      {"generatorURL", generator},
                      {"fingerprint", alert.fingerprint()}});
  }
  const json out = {{"version", "4"},
                    {"groupKey", "nearzero/" + receiver + ":" + message.group},
                    {"truncatedAlerts", 0},
                    {"status", firing ? "firing" : "resolved"},
                    {"receiver", receiver},
                    {"groupLabels", pairs_to_json(message.group_labels)},
                    {"commonLabels", common(message.alerts, &Alert::labels)},
                    {"commonAnnotations", common(message.alerts, &Alert::annotations)},
                    {"externalURL", generator},
                    {"alerts", std::move(alerts)}};
  return dump(out);
}

}  // namespace nz::alerts
