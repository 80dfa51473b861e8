// One alert: a rule that holds for one set of labels.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "userspace/alerts/rule.h"

namespace nz::alerts {

/// What is in none of these is inactive.
enum class State { pending, firing, resolved };
const char* word(State state);

using Annotations = std::vector<std::pair<std::string, std::string>>;

struct Alert {
  std::string rule, kind;
  analysis::Labels labels;  ///< alertname, severity, those of the rule and of what it is about
  Annotations annotations;  ///< texts as of the last time it held
  Severity severity = Severity::warning;
  State state = State::pending;
  double value = 0;
  std::string unit;                      ///< of `value`, as analysis::figure_text() takes it
  double active_since = 0;               ///< Unix seconds: when what it is about began
  double fired_at = 0, resolved_at = 0;  ///< Unix seconds; 0: not yet
  bool flapping = false;                 ///< fired so often that it is held for longer
  std::string silenced_by;               ///< id of a silence; empty: none
  std::vector<std::string> receivers;    ///< names; empty: all

  /// The same for the same labels, whatever happens: 16 hexadecimal digits.
  [[nodiscard]] std::string fingerprint() const;
};

/// "4.2 ms", "12.5 MiB/s": a figure in its unit.
std::string value_text(double value, std::string_view unit);

/// "2026-11-27 14:03:10 UTC".
std::string time_of_day(double unix_seconds);
/// "2026-11-27T14:03:10.250Z" (RFC 3339), as Alertmanager wants it.
std::string rfc3339(double unix_seconds);

}  // namespace nz::alerts
