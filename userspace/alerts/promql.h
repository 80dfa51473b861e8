// The same rules for Prometheus.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "userspace/alerts/rule.h"

namespace nz::alerts {

/// A rule as a PromQL expression, and what of it PromQL cannot say.
struct PromRule {
  std::string expression;
  bool asks_agent = false;  ///< PromQL cannot judge it: whether the agent's own alert fires
  std::optional<Severity> severity;                         ///< where not the rule's
  std::vector<std::pair<std::string, std::string>> labels;  ///< besides the rule's
  Fields texts;  ///< what names of our templates are here; others are not known
  std::vector<std::string> notes;
};

/// One for most rules, one for each window of a burn rate.
std::vector<PromRule> to_promql(const Rule& rule);

struct PrometheusFile {
  std::string yaml;
  std::vector<std::string> notes;  ///< "RULE: what is lost", as in the file's comments
};

/// A rule file with one group. `promtool check rules` takes it.
PrometheusFile prometheus_file(const std::vector<Rule>& rules, const std::string& source);

}  // namespace nz::alerts
