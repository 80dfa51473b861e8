// The same rules for Prometheus.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "userspace/alerts/rule.h"

namespace nz::alerts {

/// A rule as a PromQL expression, and what of it PromQL cannot say.
struct PromRule {
  std::string expression;
  std::vector<std::string> notes;
  std::optional<Severity> severity;  ///< where not the rule's
};

/// One for most rules, one for each window of a burn rate. What PromQL cannot judge asks whether
/// the agent's own alert fires (nearzero_alerts).
std::vector<PromRule> to_promql(const Rule& rule);

struct PrometheusFile {
  std::string yaml;
  std::vector<std::string> notes;  ///< "RULE: what is lost", as in the file's comments
};

/// A rule file with one group. `promtool check rules` takes it.
PrometheusFile prometheus_file(const std::vector<Rule>& rules, const std::string& source);

}  // namespace nz::alerts
