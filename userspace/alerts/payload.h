// What is sent: the bodies that Alertmanager and its webhooks take.
#pragma once

#include <string>

#include "userspace/alerts/outbox.h"

namespace nz::alerts {

/// POST /api/v2/alerts: a list of alerts. What fires is valid for four times `resend` from `now`,
/// so that it ends by itself when the agent is gone. `generator`: the agent's URL; may be empty.
std::string alertmanager_body(const Outbox::Message& message, double now, double resend,
                              const std::string& generator);

/// Alertmanager's webhook format, version 4.
std::string webhook_body(const Outbox::Message& message, const std::string& receiver,
                         const std::string& generator);

}  // namespace nz::alerts
