// Regressions over a restart: as JSON, and back.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "analysis/regression.h"
#include "userspace/base/result.h"

namespace nz::agent {

std::string save_regressions(const std::vector<analysis::Regression>& regressions);

/// Error: it is not what save_regressions() wrote.
Result<std::vector<analysis::Regression>> restore_regressions(std::string_view saved);

}  // namespace nz::agent
