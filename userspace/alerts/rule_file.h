// A rule file: YAML, checked with configs/alerts.schema.json.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "userspace/alerts/rule.h"
#include "userspace/base/result.h"

namespace nz::alerts {

/// Reads what can be read: a rule with a mistake is left out, and every mistake is a line of
/// RuleFile::problems (`FILE:LINE:COLUMN: what (remedy)`). Never fails; a file that is no YAML has
/// no rules and one problem.
RuleFile parse_rules(std::string_view yaml, const std::string& name);

/// Several files as one: names of rules and receivers are unique over all of them. A file that
/// cannot be read is a problem like any other.
RuleFile load_rules(const std::vector<std::string>& paths);

/// The embedded JSON schema (draft-07).
std::string_view rule_schema_text();

}  // namespace nz::alerts
