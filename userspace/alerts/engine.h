// What alerts are over time: conditions come and go, an alert waits, fires, holds on and ends. Has
// no clock and does no I/O; time is an argument.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "userspace/alerts/alert.h"
#include "userspace/alerts/facts.h"
#include "userspace/alerts/judge.h"
#include "userspace/alerts/windows.h"
#include "userspace/base/result.h"

namespace nz::alerts {

class Engine {
 public:
  struct Options {
    std::string host;  ///< for {{ host }}
    /// Alerts that are kept: pending, firing and lately resolved. One is some 2 KB: 2 MB.
    std::size_t most = 1024;
    /// Steps further apart count as so far apart: `for` does not pass while the host sleeps or its
    /// clock is set.
    double longest_step = 120;
    /// A firing alert of which nothing is known (no history after a start, no orders to time) goes
    /// on for so long.
    double most_unknown = 900;
    /// One that fired so often within the window is flapping, and holds on for longer.
    int flap_fires = 3;
    double flap_window = 3600, flap_hold = 900;
    /// Resolved ones are listed for so long, and remembered for flap_window.
    double list_resolved = 900;
  };

  /// What one step changed, for the log and for notifications.
  struct Changes {
    std::vector<Alert> fired, resolved;
  };

  /// A rule that nothing can be said of now, and why.
  struct Unknown {
    std::string rule, why;
  };

  Engine() : Engine(Options{}) {}
  explicit Engine(Options options) : options_(std::move(options)) {}

  /// Alerts of rules that stay the same go on; those of the others end with the next step. Not
  /// `complete`: some could not be read; alerts of rules that are not among these go on, too.
  void set_rules(std::vector<Rule> rules, bool complete = true);
  [[nodiscard]] const std::vector<Rule>& rules() const { return rules_; }

  /// Judges every rule at `now`, Unix seconds. A rule that throws (no memory) keeps its alerts.
  Changes step(const Facts& facts, double now);

  /// Firing first, then pending, then resolved; each newest first.
  [[nodiscard]] std::vector<Alert> alerts() const;
  [[nodiscard]] const std::vector<Unknown>& unknown() const { return unknown_; }
  /// Alerts that did not fit.
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }
  /// Alerts that are kept.
  [[nodiscard]] std::size_t size() const { return instances_.size(); }
  /// Judgements that failed.
  [[nodiscard]] std::uint64_t failures() const { return failures_; }

  /// All alerts as JSON (version 1), so that a restart neither loses one nor fires it again.
  [[nodiscard]] std::string save() const;
  /// What save() gave. Before set_rules() or after; on an error nothing is changed.
  Result<void> restore(std::string_view saved);

 private:
  using Key = std::pair<std::string, std::string>;  // rule, key within it
  struct Instance {
    Alert alert;
    std::string identity;      // of the rule
    double held = 0;           // seconds without a break; pending
    double gone = 0;           // seconds since it last held; firing
    double unknown = 0;        // seconds of which nothing is known; firing
    double ended = 0;          // clock_ when it was resolved
    std::deque<double> fires;  // clock_ of each time it fired, within flap_window
    bool visited = false;      // in this step
  };

  void judge_rule(const Rule& rule, const Judging& with, Changes& changes);
  void hold(const Rule& rule, const Observation& seen, double now, Changes& changes);
  void begin(Instance& instance, const Rule& rule, const Observation& seen, double now);
  void describe(Instance& instance, const Rule& rule, const Observation& seen) const;
  void fire(Instance& instance, double now, Changes& changes);
  void let_go(const Key& key, Instance& instance, const Rule* rule, bool known, double now,
              Changes& changes);
  void resolve(Instance& instance, double now, Changes& changes);
  [[nodiscard]] bool make_room();
  [[nodiscard]] const Rule* rule_of(const Instance& instance) const;
  void forget();

  Options options_;
  std::vector<Rule> rules_;
  std::map<std::string, std::size_t> by_name_;
  Windows windows_;
  std::map<Key, Instance> instances_;
  std::set<std::string> unjudged_;  // rules of this step that nothing is known of
  std::vector<Unknown> unknown_;
  std::vector<Key> over_;  // to be erased at the end of the step
  double last_ = 0, clock_ = 0, step_ = 0;
  bool stepped_ = false, complete_ = true;
  std::uint64_t dropped_ = 0, failures_ = 0;
};

}  // namespace nz::alerts
