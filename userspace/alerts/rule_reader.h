// From the JSON form of a rule or a receiver to its struct, with what a schema cannot say: families
// and labels that there are, units that fit, templates whose names are known.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "userspace/alerts/rule.h"
#include "userspace/config/problems.h"

namespace nz::alerts {

/// Reads what stands at the JSON pointer `at`. Reports what is wrong; the rule is whole only when
/// nothing about `at` has been reported.
Rule read_rule(const nlohmann::json& in, const std::string& at, const config::Locate& locate,
               config::Problems& problems);
Receiver read_receiver(const nlohmann::json& in);

/// Names that annotations of a rule of this kind may use, besides labels.
std::vector<std::string> template_names(const std::string& kind);

/// The kinds of findings that docs/bottlenecks.md describes.
const std::vector<std::string>& bottleneck_kinds();

}  // namespace nz::alerts
