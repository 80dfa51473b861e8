// An alert as JSON: in the saved state, for `nearzero alerts list -f json`.
#pragma once

#include <nlohmann/json.hpp>

#include "userspace/alerts/alert.h"

namespace nz::alerts {

nlohmann::json to_json(const Alert& alert);
/// Throws nlohmann::json::exception where it is not what to_json() gives.
Alert alert_from_json(const nlohmann::json& in);

nlohmann::json pairs_to_json(const std::vector<std::pair<std::string, std::string>>& pairs);
std::vector<std::pair<std::string, std::string>> pairs_from_json(const nlohmann::json& in);

/// One line; what is not UTF-8 is replaced.
std::string dump(const nlohmann::json& json);

}  // namespace nz::alerts
