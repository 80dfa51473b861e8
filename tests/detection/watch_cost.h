// What the agent's watch costs, beside the detectors alone: quantiles of histograms, names, both
// detectors, the judging of steps and incidents, as each look has them.
#pragma once

#include <cstddef>

namespace nz::test {

/// Services of 125 quantities each; looks while detectors' rings fill, and those that are measured.
/// In 60 of these, from a quarter of them on, each latency of one service is three times the usual.
struct WatchCostOptions {
  std::size_t targets = 40, warm = 2'000, measured = 1'000;
};

struct WatchCost {
  std::size_t quantities = 0, histograms = 0;  ///< of a look
  double nanoseconds = 0;                      ///< of a CPU, a quantity and look
  double slowest_look = 0;                     ///< seconds of a CPU
  /// That the watch holds after the last look, with what malloc adds, a quantity; 0 where malloc
  /// does not tell (a sanitizer's). What a look frees again is not in it.
  double bytes = 0;
  std::size_t regressions = 0, incidents = 0;  ///< opened while it was measured
};

/// Runs analysis::Watch as the agent does, each 10 s on the window of the last 10 s. Making windows
/// and slices is the history's work and not measured, handing slices to the judge is.
WatchCost measure_watch(const WatchCostOptions& options);

}  // namespace nz::test
