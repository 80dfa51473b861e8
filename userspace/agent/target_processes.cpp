#include "userspace/agent/target_processes.h"

#include <map>

namespace nz::agent {

std::vector<resources::TargetProcesses> target_processes(const targets::Tracker& tracker) {
  std::vector<resources::TargetProcesses> result;
  std::map<uint32_t, size_t> index;
  for (const uint32_t slot : tracker.slots()) {
    const config::Target& target = *tracker.target(slot);
    index[slot] = result.size();
    result.push_back({target.name, {}, target.follow_forks});
  }
  for (const auto& [pid, member] : tracker.members()) {
    const auto at = index.find(member.slot);
    if (at != index.end()) result[at->second].processes.push_back({pid, member.process.start_time});
  }
  return result;
}

}  // namespace nz::agent
