// Tests only: whom couriers go to, and what they bring.
#pragma once

#include <string>

#include "userspace/alerts/alert.h"
#include "userspace/alerts/rule.h"

namespace nz::alerts::testing {

/// `timeout` in seconds.
inline Receiver alertmanager(double timeout = 0.3) {
  Receiver r;
  r.name = "am";
  r.kind = Receiver::Kind::alertmanager;
  r.timeout = timeout;
  r.repeat = 60;
  return r;
}
inline Receiver webhook() {
  Receiver r;
  r.name = "hook";
  r.kind = Receiver::Kind::webhook;
  r.timeout = 0.3;
  r.group_by = {"alertname"};
  r.group_wait = r.group_interval = 0;
  r.repeat = 3600;
  return r;
}

inline Alert firing(const std::string& name = "A") {
  Alert a;
  a.rule = name;
  a.labels = {{"alertname", name}, {"severity", "warning"}, {"target", "demo"}};
  a.annotations = {{"summary", "it is \"bad\""}};
  a.state = State::firing;
  a.active_since = 1'764'255'600.25;
  a.fired_at = 1'764'255'610;
  return a;
}
inline Alert resolved(const std::string& name = "A") {
  Alert a = firing(name);
  a.state = State::resolved;
  a.resolved_at = a.fired_at + 60;
  return a;
}

}  // namespace nz::alerts::testing
