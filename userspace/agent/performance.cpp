#include "userspace/agent/performance.h"

#include <chrono>

#include "userspace/report/host.h"

namespace nz::agent {

Performance::Performance(std::shared_ptr<SnapshotBox> snapshots)
    : snapshots_(std::move(snapshots)), history_(history::History::Options{}) {
  report::Extras extras;
  extras.host = report::this_host(NZ_VERSION);
  host_ = std::make_shared<const report::Extras>(std::move(extras));
}

void Performance::record(Snapshot& snapshot) {
  snapshot.generation = ++generation_;
  if (!snapshot.extras) snapshot.extras = host_;
  snapshot.at =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
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
