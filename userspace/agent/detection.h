// Watches all series for lasting changes and unusual moments, beside what happened then, and keeps
// what it knows over a restart.
#pragma once

#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "analysis/watch/watch.h"
#include "userspace/agent/kept_state.h"
#include "userspace/agent/target_events.h"
#include "userspace/base/clock.h"
#include "userspace/detected/spell_log.h"
#include "userspace/history/history.h"
#include "userspace/metrics/family.h"
#include "userspace/store/store.h"

namespace nz::agent {

class Detection {
 public:
  /// `store`: null where nothing is kept on disk. Both outlive it. Reads what is known of before,
  /// events of the last day, too.
  /// `now`: Unix seconds; by them it is decided which incidents have ended meanwhile.
  Detection(const history::History& history, store::Store* store, double now = unix_seconds());

  /// Something that may explain a change.
  void tell(analysis::Event event);
  /// After each drain; whether it was time to look. What began and what ended is logged.
  bool step(double now, const targets::Tracker& tracker);
  /// The last step found that a regression began or ended.
  [[nodiscard]] bool changed() const { return changed_; }

  /// Open ones first.
  [[nodiscard]] const std::vector<analysis::Regression>& regressions() const {
    return regressions_;
  }
  [[nodiscard]] const std::vector<analysis::Incident>& incidents() const { return incidents_; }
  /// The newest, oldest first.
  [[nodiscard]] const std::deque<analysis::Event>& events() const { return events_; }
  void collect(std::vector<metrics::Family>& out) const;

 private:
  void restore();
  void restore_incidents(double now);
  void restore_events(double now);
  void take_incidents(std::span<const analysis::Event> events);
  void remember_incidents(double now, const analysis::IncidentGrouper::Changes& changes);
  void remember_builds(double now);
  [[nodiscard]] std::vector<analysis::Slice> slices(const analysis::Quantity& of, double from,
                                                    double to) const;

  const history::History& history_;
  store::Store* store_;
  KeptState kept_regressions_{store_, "regressions", "regressions"};
  KeptState kept_incidents_{store_, "incidents", "open incidents"};
  KeptState kept_builds_{store_, "target_builds", "builds of targets"};
  analysis::Watch watch_;
  TargetEvents target_events_{build_of};
  std::deque<analysis::Event> events_;  // the newest
  std::vector<analysis::Regression> regressions_;
  std::vector<analysis::Incident> incidents_;
  bool changed_ = false;
  // For `nearzero alerts test`; nothing where nothing is kept on disk, or it cannot be read.
  std::optional<detected::SpellLog<analysis::Regression>> regression_log_;
  std::optional<detected::SpellLog<analysis::Incident>> incident_log_;
};

}  // namespace nz::agent
