// Findings that last outlive a restart of the agent, with their identity, since when, and what was
// normal before them.
#pragma once

#include "userspace/agent/judge.h"
#include "userspace/agent/kept_state.h"
#include "userspace/store/store.h"

namespace nz::agent {

class FindingMemory {
 public:
  /// The store outlives this.
  explicit FindingMemory(store::Store& store)
      : store_(store), kept_(&store, "findings", "open bottlenecks") {}

  /// At start, `now` (Unix seconds), before the first judgement. What goes on and what has ended
  /// is logged.
  void restore(Judge& judge, double now);
  /// After each step of the judge.
  void keep(const Judge& judge, const analysis::FindingLedger::Changes& changes, double now);

 private:
  // A crash may set back by so much, in seconds, when they were seen last: a third of the minute
  // after which they are taken for ended. A finding is some 5 KB here.
  static constexpr double kPause = 20;

  store::Store& store_;
  KeptState kept_;
  double seen_ = 0;  // as it was written last
};

}  // namespace nz::agent
