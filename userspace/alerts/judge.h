// What one rule says of one moment.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "userspace/alerts/facts.h"
#include "userspace/alerts/rule.h"
#include "userspace/alerts/windows.h"

namespace nz::alerts {

/// Something that a rule holds for, or of which nothing is known now.
struct Observation {
  std::string key;  ///< identity within the rule, over time
  bool known = true;
  analysis::Labels labels;  ///< of what it is about, without those of the rule
  Severity severity = Severity::warning;
  double value = 0;
  std::string unit;
  double since = 0;  ///< Unix seconds: when it began, where detection says so; else 0
  Fields fields;     ///< for the rule's annotations
};

struct Verdict {
  bool known = true;    ///< false: nothing can be said of any that is not listed, and why
  std::string unknown;  ///< "the window covers 10 of 60 s"; also of single ones
  std::vector<Observation> observations;
};

struct Judging {
  const Facts& facts;
  Windows& windows;
  double now = 0;  ///< Unix seconds
  /// Whether the alert with this key fires now: hysteresis.
  std::function<bool(const std::string& key)> firing;
};

Verdict judge(const Rule& rule, const Judging& with);

}  // namespace nz::alerts
