// Regressions and incidents as JSON, and back. Reading throws nlohmann::json::exception, or
// std::out_of_range, where it is not what to_json() gives.
#pragma once

#include <nlohmann/json.hpp>

#include "analysis/regression.h"

namespace nz::detected {

nlohmann::json to_json(const analysis::Regression& regression);
nlohmann::json to_json(const analysis::Incident& incident);

void from_json(const nlohmann::json& in, analysis::Regression& regression);
void from_json(const nlohmann::json& in, analysis::Incident& incident);

/// A figure that may be none: JSON has neither NaN nor infinity, and both come back as NaN.
double number_of(const nlohmann::json& in, const char* key);

}  // namespace nz::detected
