// How often functions are called, counted by a program that does nothing else.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "userspace/loader/object.h"

namespace nz::inspect {

struct CallRate {
  double seconds = 0;           ///< how long was counted
  std::vector<uint64_t> calls;  ///< one for each site
  bool stopped_early = false;   ///< it was dearer than allowed: what was counted is a sample
};

/// Loads the counting program alone.
Result<std::unique_ptr<loader::Object>> load_counter();

/// Hits of one site of the counting programs so far, on all CPUs.
uint64_t site_hits(const loader::Object& object, size_t site);

/// Counts hits of `sites` in `path` for `length`, in process `pid` (0: in all). Ends early, after
/// 20 ms at the soonest, when hits x `ns_per_hit` come to more than `most` of one core's time; a
/// signal ends it too. At most NZ_MAX_SITES sites.
Result<CallRate> count_calls(loader::Object& object, const std::string& path, pid_t pid,
                             const std::vector<uint64_t>& sites,
                             const std::vector<double>& ns_per_hit, double most,
                             std::chrono::milliseconds length);

}  // namespace nz::inspect
