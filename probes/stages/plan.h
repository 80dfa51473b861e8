// From the configuration's stages to addresses: which instructions of which file are probed, and
// what a hit there means. Pure: attaches nothing.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "nearzero/abi.h"
#include "userspace/config/config.h"
#include "userspace/sites/binary.h"
#include "userspace/sites/explain.h"
#include "userspace/sites/kernel.h"

namespace nz::probes {

/// A stage with the ids that the kernel side knows it by.
struct StageId {
  uint16_t stage = 0;  ///< index into nz_stages
  uint8_t open = 0;    ///< from/to: index into the thread's open stages
};

/// One address of one file.
struct PlannedSite {
  uint64_t offset = 0;
  bool returns = false;  ///< the return of the function, too
  bool stepped = false;  ///< the kernel single-steps here
  int64_t sp_displacement = 0;
  std::vector<nz_action> actions;         ///< at the address
  std::vector<nz_action> return_actions;  ///< at the return
};

struct StagePlan {
  std::vector<PlannedSite> sites;  ///< by offset
  std::string text;                ///< what was chosen, for people
};

/// More functions than this for one pattern is a mistake: each costs on every call.
inline constexpr size_t kMaxFunctionsPerPattern = 64;

/// Plans the stages that live in `binary`. Stages that share an address share its probe, so that
/// consecutive stages end and begin by one reading of the clock.
Result<StagePlan> plan_stage(const sites::Binary& binary, const config::Stage& stage, StageId id,
                             bool shadow_stack, const sites::KernelTraits& kernel);

/// Merges the plans of several stages of one file. Error: more than NZ_SITE_ACTIONS at one address.
Result<std::vector<PlannedSite>> merge(const std::vector<StagePlan>& plans);

}  // namespace nz::probes
