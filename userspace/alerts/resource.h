// Limits of the machine that services run into, by name: each is a ratio of two families.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/alerts/rule.h"

namespace nz::alerts {

/// Names that a rule's `resource: {of: NAME}` may have.
const std::vector<std::string>& resource_names();

/// Those of them that fill up, so that it can be said when they are full.
const std::vector<std::string>& forecast_names();

/// The ratio of a resource, its bound yet to be set; nothing where there is no such resource.
std::optional<Ratio> resource_ratio(std::string_view name);

}  // namespace nz::alerts
