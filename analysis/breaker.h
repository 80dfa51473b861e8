// The breaker: decides which probe has cost too much for too long. Knows nothing of BPF or clocks.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace nz::analysis {

/// Trips a (probe, slot) whose cost stays above a limit for a time without a break. The shares come
/// from outside; a controller that holds the budget by sampling can stand before it unchanged.
class Breaker {
 public:
  using Key = std::pair<std::string, unsigned>;

  /// `limit`: share of one core (0.1 = 10 %); `seconds`: how long it must be exceeded.
  Breaker(double limit, double seconds) : limit_(limit), seconds_(seconds) {}

  /// One observation: `share` of one core that each probe took during the last `elapsed` seconds.
  /// Returns what trips now; a tripped key is reported once.
  std::vector<Key> observe(const std::map<Key, double>& share, double elapsed);

  /// Changes the limit; what has tripped stays tripped.
  void set_limit(double limit, double seconds) {
    limit_ = limit;
    seconds_ = seconds;
  }

  /// Tripped and not reset.
  [[nodiscard]] bool tripped(const Key& key) const { return tripped_.contains(key); }
  [[nodiscard]] const std::map<Key, double>& tripped() const { return tripped_; }
  void reset() {
    tripped_.clear();
    above_.clear();
  }

 private:
  double limit_, seconds_;
  std::map<Key, double> above_;    // seconds above the limit without a break
  std::map<Key, double> tripped_;  // share that tripped it
};

}  // namespace nz::analysis
