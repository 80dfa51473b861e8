// Asks the rules every few seconds what limits the services, and keeps what they find over time.
#pragma once

#include <functional>
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
    double window = 20;         ///< seconds that are judged: two points of history
    double reference = 600;     ///< seconds before that say what is normal
    double reference_age = 60;  ///< seconds for which a reference is not made anew
    analysis::FindingLedger::Options ledger = {};
  };
  Judge() : Judge(Options{}) {}
  explicit Judge(const Options& options) : options_(options), ledger_(options.ledger) {}

  /// At most every `every` seconds, else nothing. `now`: Unix seconds. Returns what opened and what
  /// ended. `details` is called only when it is needed.
  analysis::FindingLedger::Changes step(const history::History& history, double now,
                                        const std::function<analysis::Details()>& details);

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
