// Open incidents over a restart: as JSON, and back.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "analysis/detect/incident.h"
#include "userspace/base/result.h"

namespace nz::agent {

/// Without their events, which are looked for anew.
std::string save_incidents(const std::vector<analysis::IncidentGrouper::Open>& incidents);

/// Error: it is not what save_incidents() of this version wrote.
Result<std::vector<analysis::IncidentGrouper::Open>> restore_incidents(std::string_view saved);

}  // namespace nz::agent
