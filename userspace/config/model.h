// Between the JSON form of a configuration and its structs.
#pragma once

#include <nlohmann/json.hpp>

#include "userspace/config/config.h"

namespace nz::config {

/// Sets what `json` gives and keeps the rest. Values of a wrong type are passed over: the schema
/// has reported them. Targets and stages keep their index, whatever an entry holds.
void from_json(const nlohmann::json& json, Config& config);

/// The complete JSON form, keys in the order in which they are documented. from_json() of it gives
/// the same configuration, except `source`.
nlohmann::ordered_json to_json(const Config& config);

}  // namespace nz::config
