// What is made of each drain's figures: history in memory and on disk, findings, regressions,
// incidents, baselines, alerts and reports. The agent hands over families and asks for nothing back
// but the snapshot. What takes its time or waits for a disk has a thread of its own.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "userspace/agent/alerting.h"
#include "userspace/agent/detection.h"
#include "userspace/agent/errands.h"
#include "userspace/agent/finding_memory.h"
#include "userspace/agent/judge.h"
#include "userspace/agent/performance.h"
#include "userspace/agent/snapshot.h"
#include "userspace/base/result.h"
#include "userspace/baselines/baselines.h"
#include "userspace/config/config.h"
#include "userspace/store/store.h"

namespace nz::agent {

class Insight {
 public:
  using Probes = std::vector<std::unique_ptr<probes::Probe>>;

  explicit Insight(std::shared_ptr<SnapshotBox> snapshots) : performance_(std::move(snapshots)) {}

  /// The store, what it remembers, the rules of alerts and schedules of reports. A disk that takes
  /// nothing is no reason not to observe. Error: another agent writes the file (EWOULDBLOCK), or as
  /// Store::open().
  Result<void> open(const config::Config& config);
  /// After a reload: other rules and schedules, or none.
  void reload(const config::Config& config);
  /// Something that may explain a change.
  void tell(analysis::Event event) { detection_->tell(std::move(event)); }

  /// What the REST interface reads; lives as long as this.
  [[nodiscard]] const rest::Source& source() const { return performance_; }
  /// Reports, for the interface.
  [[nodiscard]] std::shared_ptr<rest::ReportStore> reports() const { return errands_.kept(); }

  /// The state as of the last step: nearzero_bottleneck_*, nearzero_regressions_*,
  /// nearzero_baseline_*, nearzero_alert_*, nearzero_report_*, nearzero_store_*.
  void collect(std::vector<metrics::Family>& out) const;
  /// Records the snapshot's families, dates it, looks at them where it is time, and puts into it
  /// what was found. What began and what ended is logged.
  void step(Snapshot& snapshot, const Probes& probes, const targets::Tracker& tracker);
  /// Hands it to the disk's thread.
  void keep(const std::shared_ptr<const Snapshot>& snapshot);

  /// `alerts`, `silences`, `silence ...`; nothing for any other line.
  std::optional<std::string> command(const std::string& line);

 private:
  Result<void> open_store(const config::Config& config);
  void open_alerts(const config::Config& config);
  void judge(Snapshot& snapshot, const Probes& probes);
  void detect(double now, const targets::Tracker& tracker);
  [[nodiscard]] std::shared_ptr<const report::Extras> extras() const;

  std::unique_ptr<store::Store> store_;  // null: nothing is kept on disk
  Judge judge_;
  std::unique_ptr<FindingMemory> finding_memory_;  // null: nothing is kept on disk
  std::shared_ptr<const analysis::Details> details_;
  Performance performance_;
  std::unique_ptr<Detection> detection_;             // reads performance_ and store_
  std::unique_ptr<baselines::Baselines> baselines_;  // null: nothing is kept on disk
  Errands errands_{performance_};                    // keeps reports in store_
  std::unique_ptr<Alerting> alerting_;               // null: no rules; reads all of the above
  std::jthread retiring_;                            // ends alerting_ where it is no more
  std::shared_ptr<const report::Extras> extras_;
};

}  // namespace nz::agent
