// Slices of made latencies for tests: lognormal values whose level differs from slice to slice.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <vector>

#include "analysis/regression/slice.h"

namespace nz::analysis {

class MadeSlices {
 public:
  static constexpr double kSeconds = 10, kStart = 1'700'000'000;

  /// `crowding`: standard deviation of the slices' own levels (log), which makes values of one
  /// slice go together; `correlation` of neighbouring levels.
  explicit MadeSlices(std::uint64_t seed, double crowding = 0.05, double correlation = 0)
      : random_(seed), crowding_(crowding), correlation_(correlation) {}

  /// `change(at, value)` in seconds: what becomes of a value that happens at `at`.
  std::vector<Slice> make(std::size_t slices, std::size_t values,
                          const std::function<double(double, double)>& change) {
    std::vector<Slice> all;
    for (std::size_t i = 0; i < slices; i++) {
      const double from = kStart + static_cast<double>(i) * kSeconds;
      level_ = correlation_ * level_ +
               std::sqrt(1 - correlation_ * correlation_) * crowding_ * normal_(random_);
      auto histogram = std::make_shared<Histogram>();
      for (std::size_t k = 0; k < values; k++) {
        const double at =
            from + kSeconds * (static_cast<double>(k) + 0.5) / static_cast<double>(values);
        const double value = 200e-6 * std::exp(0.5 * normal_(random_) + level_);
        histogram->record(static_cast<std::uint64_t>(change(at, value) * 1e9));
      }
      all.push_back({from, from + kSeconds, std::move(histogram)});
    }
    return all;
  }

  static double unchanged(double /*at*/, double value) { return value; }

 private:
  std::mt19937_64 random_;
  std::normal_distribution<double> normal_;
  double crowding_, correlation_, level_ = 0;
};

/// When slice `i` begins.
inline double at_slice(double i) { return MadeSlices::kStart + i * MadeSlices::kSeconds; }

}  // namespace nz::analysis
