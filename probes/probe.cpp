#include "probes/probe.h"

namespace nz::probes {

std::string Env::target_name(uint32_t slot) const {
  if (slot == 0) return "host";
  const config::Target* target = tracker.target(slot);
  // A target that a reload has removed keeps its counts under a name that cannot clash.
  return target != nullptr ? target->name : "removed." + std::to_string(slot);
}

}  // namespace nz::probes
