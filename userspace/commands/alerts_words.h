// Alerts and their rule files in the words of `nearzero alerts`.
#pragma once

#include <cstddef>
#include <string>

#include "userspace/alerts/alert.h"

namespace nz::commands {

/// "1 rule", "2 rules".
std::string counted(std::size_t n, const std::string& one);
/// "target=demo stage=risk", without what has columns of its own.
std::string labels_text(const alerts::Alert& alert);
/// Its summary, else its first annotation; empty: it has none.
std::string summary_text(const alerts::Alert& alert);

/// What of a rule file is not in force, on standard error, a line each.
void print_problems(const alerts::RuleFile& file);

}  // namespace nz::commands
