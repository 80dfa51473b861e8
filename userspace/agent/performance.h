// What the REST interface reads of the agent: the last snapshot, and the history of all.
#pragma once

#include <memory>
#include <vector>

#include "probes/probe.h"
#include "userspace/agent/snapshot.h"
#include "userspace/rest/source.h"

namespace nz::agent {

class Performance : public rest::Source {
 public:
  explicit Performance(std::shared_ptr<SnapshotBox> snapshots);

  [[nodiscard]] const history::History& history() const override { return history_; }
  [[nodiscard]] std::shared_ptr<const rest::View> view() const override {
    return snapshots_->get();
  }

  /// Dates and numbers a snapshot, and adds it to history; one without `extras` gets the host.
  /// Before it is put into the box, so that whoever sees it finds its values in the history. From
  /// the agent's thread.
  void record(Snapshot& snapshot);

 private:
  std::shared_ptr<SnapshotBox> snapshots_;
  history::History history_;
  std::shared_ptr<const report::Extras> host_;
  std::uint64_t generation_ = 0;
};

/// The probes that do not observe what they should, and why.
std::vector<rest::Unattached> unattached(const std::vector<std::unique_ptr<probes::Probe>>& probes);

}  // namespace nz::agent
