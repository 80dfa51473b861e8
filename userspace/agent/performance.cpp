#include "userspace/agent/performance.h"

#include "userspace/base/clock.h"

namespace nz::agent {

void Performance::record(Snapshot& snapshot) {
  snapshot.generation = ++generation_;
  snapshot.at = unix_seconds();
  snapshot.families.push_back({"nearzero_history_bytes",
                               "Memory that the history of all series takes.",
                               metrics::Type::gauge,
                               {{{}, static_cast<double>(history_.bytes()), nullptr}}});
  snapshot.families.push_back({"nearzero_history_evicted_points_total",
                               "Points of history that went early for want of memory.",
                               metrics::Type::counter,
                               {{{}, static_cast<double>(history_.evicted()), nullptr}}});
  history_.add(snapshot.at, snapshot.families);
}

std::vector<rest::Unattached> unattached(
    const std::vector<std::unique_ptr<probes::Probe>>& probes) {
  std::vector<rest::Unattached> result;
  for (const auto& probe : probes) {
    for (const probes::Status& s : probe->status()) {
      if (!s.attached) result.push_back({s.probe, s.target, s.text});
    }
  }
  return result;
}

}  // namespace nz::agent
