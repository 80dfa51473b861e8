// read_receiver(): where alerts go.
#include <algorithm>

#include "userspace/alerts/amount.h"
#include "userspace/alerts/json_fields.h"
#include "userspace/alerts/rule_reader.h"

namespace nz::alerts {

using nlohmann::json;

Receiver read_receiver(const json& in) {
  Receiver out;
  set(member(in, "name"), out.name);
  const auto time = [](const json& map, const char* key, double otherwise) {
    const json& value = member(map, key);
    return value.is_string() ? parse_time(value.get<std::string>()).value_or(otherwise) : otherwise;
  };
  if (const json& alertmanager = member(in, "alertmanager"); alertmanager.is_object()) {
    out.kind = Receiver::Kind::alertmanager;
    set(member(alertmanager, "urls"), out.urls);
    out.repeat = time(alertmanager, "resend", 60);
  } else if (const json& webhook = member(in, "webhook"); webhook.is_object()) {
    out.kind = Receiver::Kind::webhook;
    out.urls.resize(1);
    set(member(webhook, "url"), out.urls[0]);
    out.group_by = {"alertname", "target"};
    set(member(webhook, "group_by"), out.group_by);
    out.group_wait = time(webhook, "group_wait", 5);
    out.group_interval = time(webhook, "group_interval", 30);
    out.repeat = time(webhook, "repeat", 4 * 3600.0);
  }
  out.repeat = std::max(out.repeat, 1.0);
  set(member(member(in, "tls"), "ca_file"), out.ca_file);
  set(member(member(in, "tls"), "verify"), out.verify);
  set(member(in, "token_file"), out.token_file);
  set(member(member(in, "basic_auth"), "user"), out.user);
  set(member(member(in, "basic_auth"), "password_file"), out.password_file);
  out.timeout = std::clamp(time(in, "timeout", out.timeout), 0.1, 60.0);
  if (const json& severity = member(in, "severity"); severity.is_string())
    out.least_severity = parse_severity(severity.get<std::string>()).value_or(Severity::info);
  set(member(in, "send_resolved"), out.send_resolved);
  return out;
}

}  // namespace nz::alerts
