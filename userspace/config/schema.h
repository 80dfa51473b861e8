// The embedded JSON schema: whether a configuration fits it, and what each place of it may hold.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "userspace/config/problems.h"

namespace nz::config {

/// The schema as JSON, parsed once.
const nlohmann::json& schema();

/// Follows "$ref" within the embedded schema.
const nlohmann::json& resolve(const nlohmann::json& node);

/// The schema of the value at a JSON pointer, or null where the schema knows no such place.
const nlohmann::json* schema_at(const std::string& pointer);

/// Validates with valijson and reports each violation once, at its innermost place.
void validate(const nlohmann::json& json, const Locate& locate, Problems& problems);

}  // namespace nz::config
