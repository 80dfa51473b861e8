// The stacks of a target in a window of time, as flame graphs are drawn from them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "analysis/slices.h"

namespace nz::probes::profile {

class FoldedStacks {
 public:
  static constexpr size_t kStacks = 2'048;  ///< different ones; of what is beyond the leaf is kept
  static constexpr size_t kBytes = 512 * 1024;  ///< of text

  /// Keeps `slices` of `seconds` each, the running one among them.
  explicit FoldedStacks(double seconds = 10, size_t slices = 6) : slices_(seconds, slices) {}

  /// `functions`: root first. Whether there was room for it. `now`: seconds of a steady clock.
  bool add(double now, const std::vector<uint32_t>& functions, uint32_t samples);
  void advance(double now);
  /// "main;run;spin 42", a line for each, most samples first; what the text has no room for is
  /// its last line, "[not shown] N".
  [[nodiscard]] std::string text(const std::function<std::string(uint32_t)>& name) const;

 private:
  struct Stack {
    std::vector<uint32_t> functions;
    std::vector<uint32_t> counts;  // by slice
  };
  void add_to(uint64_t hash, const std::vector<uint32_t>& functions, uint32_t samples);

  analysis::Slices slices_;
  std::unordered_map<uint64_t, Stack> stacks_;  // by hash
};

}  // namespace nz::probes::profile
