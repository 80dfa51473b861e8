// Which functions take most of a target's samples in a window (a minute), and how that compares
// with what was before it (ten).
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "analysis/slices.h"

namespace nz::analysis {

class FunctionShares {
 public:
  struct Options {
    double slice = 10;      ///< seconds
    size_t window = 6;      ///< slices, the running one among them
    size_t reference = 60;  ///< slices before these
    /// Fewer samples than that in the window or in the reference tell nothing of a change.
    uint64_t least = 100;
    size_t functions = 1024;  ///< different ones in both; what is beyond goes to `kOther`
  };
  /// Stands for all functions that there was no room for.
  static constexpr uint32_t kOther = 0;

  struct Share {
    uint32_t function = 0;
    uint64_t samples = 0;  ///< in the window
    double share = 0;
    std::optional<double> before;  ///< in the reference; nothing: too few samples to tell
  };

  FunctionShares() : FunctionShares(Options{}) {}
  explicit FunctionShares(const Options& options)
      : options_(options), slices_(options.slice, options.window + options.reference) {}

  /// `now`: seconds of a clock that never goes back.
  void add(double now, uint32_t function, uint64_t samples);
  /// Without samples, too, time goes on.
  void advance(double now);
  /// The `most` with most samples in the window, ties by number.
  [[nodiscard]] std::vector<Share> hottest(size_t most) const;
  /// Samples in the window.
  [[nodiscard]] uint64_t samples() const;

 private:
  struct Sums {
    uint64_t window = 0, reference = 0;
  };
  [[nodiscard]] Sums sums(const std::vector<uint32_t>& counts) const;

  Options options_;
  Slices slices_;
  std::unordered_map<uint32_t, std::vector<uint32_t>> counts_;  // by function, by slice
};

}  // namespace nz::analysis
