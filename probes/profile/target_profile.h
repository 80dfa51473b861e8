// What the samples of one target say: shares, stacks, and the few functions with a series.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "analysis/function_shares.h"
#include "probes/profile/folded_stacks.h"

namespace nz::probes::profile {

class TargetProfile {
 public:
  /// A function gets a counter of its own from the moment on that it takes this share of a window's
  /// samples, and keeps it; everything else, and what it took before, is "other". So there
  /// are at most kSeries + 1 of a target, none of them ever falls, and their sum is what was
  /// sampled.
  static constexpr double kHot = 0.05;
  static constexpr size_t kSeries = 32;

  explicit TargetProfile(double window = 60) { set_window(window); }

  /// Begins a window of so many seconds anew; the counters stay.
  void set_window(double seconds);
  /// `functions`: root first; the last is the one that ran. Whether there was room for the stack.
  bool add(double now, const std::vector<uint32_t>& functions, uint32_t samples);
  void advance(double now);

  [[nodiscard]] const analysis::FunctionShares& shares() const { return shares_; }
  [[nodiscard]] const FoldedStacks& stacks() const { return stacks_; }
  /// Samples by function with a series.
  [[nodiscard]] const std::map<uint32_t, uint64_t>& series() const { return series_; }
  [[nodiscard]] uint64_t others() const { return others_; }

 private:
  void admit();

  analysis::FunctionShares shares_;
  FoldedStacks stacks_;
  std::map<uint32_t, uint64_t> series_;
  uint64_t others_ = 0;
};

}  // namespace nz::probes::profile
