// Metric families of the stages probe.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "probes/probe.h"
#include "probes/stages/components.h"
#include "probes/stages/ids.h"

namespace nz::probes {

/// What all CPUs have counted of a stage.
nz_stage_stats stage_stats(const Env& env, std::span<const nz_stage_stats> all, uint32_t stage);

/// Begun and not ended. Of one reading of the counts, so that they add up in one export.
uint64_t stages_in_flight(const nz_stage_stats& s, uint64_t completed);

/// Every stage that has a number. `components` remembers what it gave out last.
void collect_stages(const Env& env, const StageIds& ids, std::span<const nz_stage_stats> all,
                    Components& components, std::vector<metrics::Family>& out);

}  // namespace nz::probes
