// How often locks of databases were seen with whom. A look sees who holds a lock at one moment
// only; many of them make the share of time in which it was held.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "userspace/metrics/family.h"

namespace nz::probes {

class LockLooks {
 public:
  using Clock = std::chrono::steady_clock;
  /// Series that are kept apart; what comes beyond them has "other" for its database and its comm,
  /// so that each target and lock adds one more at most.
  static constexpr std::size_t kSeries = 256;
  /// A series ends when it was not seen for so long, and begins at 0 when it comes again.
  static constexpr std::chrono::hours kForgotten{1};

  /// One look. `held`: target, database, lock and comm of each lock that is held, once each.
  void add(const std::set<metrics::Labels>& held, Clock::time_point now);
  /// The looks of each series, since it began.
  [[nodiscard]] std::vector<metrics::Sample> samples() const;

 private:
  struct Seen {
    uint64_t looks = 0;
    Clock::time_point last;
  };
  std::map<metrics::Labels, Seen> seen_;
};

}  // namespace nz::probes
