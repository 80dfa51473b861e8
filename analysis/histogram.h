// A latency histogram in the one bucket layout of the project (bpf/include/nearzero/hist_layout.h):
// 8 buckets per octave, boundaries 2^(k/8) seconds, upper-inclusive, from 2^-24 s to 2^8 s. It is
// Prometheus' native-histogram schema 3, so a histogram goes from the kernel to PromQL without
// rebucketing. Values come in as integer nanoseconds, quantiles go out as seconds.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "nearzero/hist_layout.h"

namespace nz::analysis {

/// What bucket_index() returns for a value at or below the zero threshold (59 ns and less).
inline constexpr std::size_t kZeroIndex = static_cast<std::size_t>(-1);
/// What bucket_index() returns for a value above the last boundary (more than 256 s).
inline constexpr std::size_t kOverflowIndex = NZ_BUCKETS;

/// Index of the bucket that counts `ns` nanoseconds: 0..NZ_BUCKETS-1, kZeroIndex or kOverflowIndex.
/// Exact at every integer: this is the reference that the kernel's index is tested against.
std::size_t bucket_index(std::uint64_t ns);

/// Upper boundary of bucket `index` in seconds, 2^(-24 + (index+1)/8). Requires index < NZ_BUCKETS.
double upper_bound_seconds(std::size_t index);

/// Largest whole number of nanoseconds that bucket `index` counts: floor(10^9 * 2^(-24 +
/// (index+1)/8)). Requires index < NZ_BUCKETS.
std::uint64_t upper_bound_ns(std::size_t index);

/// Largest whole number of nanoseconds that the zero bucket counts: floor(10^9 * 2^-24) = 59.
std::uint64_t zero_threshold_ns();

struct Histogram {
  std::array<std::uint64_t, NZ_BUCKETS> buckets{};
  std::uint64_t zero = 0;      ///< values of 59 ns and less
  std::uint64_t overflow = 0;  ///< values of more than 256 s
  std::uint64_t sum_ns = 0;    ///< sum of all values, those in zero and overflow too
  std::uint64_t min_ns = 0;    ///< smallest value of the window; 0 if there is none
  std::uint64_t max_ns = 0;    ///< largest value of the window; 0 if there is none or it is unknown

  /// Number of values, with zero and overflow.
  [[nodiscard]] std::uint64_t count() const;

  /// Adds one value.
  void record(std::uint64_t ns);

  /// Adds all values of `other`.
  void merge(const Histogram& other);

  /// The values recorded after `earlier`, a previous state of this same histogram. Counts and sum
  /// are exact (and stop at zero if `earlier` is not a previous state). Minimum and maximum are
  /// exact where this window set a new record, otherwise the boundaries of its outermost buckets.
  [[nodiscard]] Histogram since(const Histogram& earlier) const;

  /// Estimate of the q-quantile in seconds (nearest rank), for q in [0, 1]; NaN if empty or if q is
  /// NaN. The geometric middle of the bucket that holds the rank, limited to [min, max]: never more
  /// than a factor 2^(1/16), 4.43 %, from the true value. Interpolation cannot promise that (see
  /// quantile_interpolated). In the overflow: the maximum. In the zero bucket: within its 59.6 ns.
  [[nodiscard]] double quantile(double q) const;

  /// Estimate of the q-quantile as PromQL's histogram_quantile computes it from the exported native
  /// histogram: exponential interpolation by rank inside the bucket (Prometheus >= 3.0; 2.x
  /// interpolates linearly, at most 0.1 % higher). Smooth in q and closer on average where a bucket
  /// is evenly filled, but up to a whole bucket (9.05 %) off where all values sit at one edge.
  [[nodiscard]] double quantile_interpolated(double q) const;

  /// Exact mean in seconds; NaN if empty.
  [[nodiscard]] double mean_seconds() const;

  bool operator==(const Histogram&) const = default;
};

}  // namespace nz::analysis
