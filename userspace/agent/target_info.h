// Which service of Prometheus' each target is: what joins our series with the service's own.
#pragma once

#include <vector>

#include "userspace/metrics/family.h"
#include "userspace/targets/tracker.h"

namespace nz::agent {

/// Appends nearzero_target_info: 1 for each configured target, with its `service_job` and
/// `service_instance` where the configuration gives them. One series a target, instead of two more
/// labels on each of its hundreds: a change of them begins no new series elsewhere, and a label
/// named `job` would be renamed by the scrape (docs/prometheus.md).
void collect_target_info(const targets::Tracker& tracker, std::vector<metrics::Family>& out);

}  // namespace nz::agent
