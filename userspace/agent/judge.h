// Asks the rules every few seconds what limits the services, and keeps what they find over time.
#pragma once

#include <vector>

#include "analysis/bottlenecks/find.h"
#include "analysis/finding_ledger.h"
#include "analysis/undisturbed.h"
#include "userspace/history/history.h"
#include "userspace/metrics/family.h"

namespace nz::agent {

class Judge {
 public:
  struct Options {
    double every = 2.5;         ///< seconds between two judgements: every third drain of one second
    double window = 15;         ///< seconds that are judged: 10 to 20, as points of history lie
    double reference = 600;     ///< seconds before that say what is normal
    double reference_age = 60;  ///< seconds for which a reference is not made anew
    analysis::FindingLedger::Options ledger = {};
  };
  Judge() : Judge(Options{}) {}
  explicit Judge(const Options& options) : options_(options), ledger_(options.ledger) {}

  /// Whether `every` seconds have passed. `now`: Unix seconds.
  [[nodiscard]] bool due(double now) const { return now - last_ >= options_.every || now < last_; }
  /// Judges where it is due, else nothing. Returns what opened and what ended.
  analysis::FindingLedger::Changes step(const history::History& history, double now,
                                        const analysis::Details& details);

  /// At start: FindingLedger::restore(), and what was normal before them, as long as one goes on;
  /// empty where nobody knows. Returns what has ended meanwhile.
  analysis::FindingLedger::Changes restore(const std::vector<analysis::FindingLedger::Open>& known,
                                           double seen, double now, analysis::Window reference);
  /// What restore() of the next start wants: open ones, Unix seconds of the newest window that was
  /// judged (0: none), and what is normal.
  [[nodiscard]] std::vector<analysis::FindingLedger::Open> open() const { return ledger_.open(); }
  [[nodiscard]] double observed() const { return ledger_.observed(); }
  [[nodiscard]] const analysis::Window& reference() const { return reference_; }
  [[nodiscard]] bool any_open() const;

  /// Open ones first, most costly first.
  [[nodiscard]] const std::vector<analysis::Finding>& findings() const { return findings_; }
  /// nearzero_bottleneck_impact_ratio{target,kind} of those that are open, and what was dropped.
  void collect(std::vector<metrics::Family>& out) const;

 private:
  void refresh_reference(const history::History& history, double now);

  Options options_;
  analysis::FindingLedger ledger_;
  analysis::Rules rules_;
  std::vector<analysis::Finding> findings_;
  analysis::Window reference_;
  double reference_at_ = 0, last_ = 0;
};

}  // namespace nz::agent
