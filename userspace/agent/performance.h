// What the REST interface reads of the agent: the last snapshot, and the history of all, in memory
// and on disk.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "probes/probe.h"
#include "userspace/agent/snapshot.h"
#include "userspace/rest/source.h"
#include "userspace/store/store.h"

namespace nz::agent {

class Performance : public rest::Source {
 public:
  explicit Performance(std::shared_ptr<SnapshotBox> snapshots);

  [[nodiscard]] const history::History& history() const override { return history_; }
  [[nodiscard]] std::shared_ptr<const rest::View> view() const override {
    return snapshots_->get();
  }

  [[nodiscard]] analysis::Window window(double from, double to,
                                        const history::History::Filter& filter) const override;
  [[nodiscard]] std::vector<history::Trend> trends(const history::Selector& selector, double from,
                                                   double to, double step) const override;
  [[nodiscard]] std::optional<metrics::Family> family(const std::string& name) const override;
  [[nodiscard]] std::optional<std::vector<analysis::Event>> events(double from,
                                                                   double to) const override;
  [[nodiscard]] double oldest() const override;

  /// Before the first record(); null: nothing is on disk. Must outlive the server.
  void set_store(const store::Store* store) { store_ = store; }

  [[nodiscard]] const report::Host& host() const { return host_->host; }

  /// Dates and numbers a snapshot, and adds it to history; one without `extras` gets the host.
  /// Before it is put into the box, so that whoever sees it finds its values in the history. From
  /// the agent's thread.
  void record(Snapshot& snapshot);

 private:
  [[nodiscard]] bool in_memory(double from) const;

  std::shared_ptr<SnapshotBox> snapshots_;
  history::History history_;
  const store::Store* store_ = nullptr;
  std::atomic<double> oldest_on_disk_ = 0;      ///< Unix seconds; 0: nothing
  std::shared_ptr<const report::Extras> host_;  ///< of the host alone
  std::uint64_t generation_ = 0;
};

/// The probes that do not observe what they should, and why.
std::vector<rest::Unattached> unattached(const std::vector<std::unique_ptr<probes::Probe>>& probes);

}  // namespace nz::agent
