// Classic Prometheus buckets as an exact subset of the histogram's own: two per octave, so every
// fourth boundary, from 2^-20 s (0.95 us) to 2^3 s. No value is ever split between two classic
// buckets, so their counts are exact; only PromQL's interpolation inside them is coarse.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "analysis/histogram.h"

namespace nz::analysis {

inline constexpr int kClassicPerOctave = 2;
inline constexpr int kClassicMinExp = -20;  ///< first boundary: 2^-20 s
inline constexpr int kClassicMaxExp = 3;    ///< last finite boundary: 2^3 s
inline constexpr std::size_t kClassicBuckets =
    kClassicPerOctave * (kClassicMaxExp - kClassicMinExp) + 1;
static_assert(kClassicMinExp >= NZ_MIN_EXP + 1 && kClassicMaxExp <= NZ_MAX_EXP);
static_assert(NZ_BUCKETS_PER_OCTAVE % kClassicPerOctave == 0);

/// Finite upper boundaries ("le") in seconds, ascending; +Inf is not among them. Each is a double
/// that 16 significant digits print without loss (at most one last place away from 2^(k/2), which
/// moves no whole nanosecond across), so that a text writer with 16 digits and Prometheus' own
/// shortest form, used when it reads the protobuf format, give one and the same label value.
const std::array<double, kClassicBuckets>& classic_bounds();

/// For each boundary of classic_bounds() the number of values at or below it; the last element is
/// +Inf, the count of all values.
using ClassicCounts = std::array<std::uint64_t, kClassicBuckets + 1>;
ClassicCounts classic_cumulative(const Histogram& histogram);

/// A histogram whose classic_cumulative() is `cumulative`, which must not fall. Where in a classic
/// bucket its values lie is not known: they are spread evenly, with what does not divide nearest to
/// its middle; those beyond the last boundary right behind it. The sum is not set.
Histogram from_classic(const ClassicCounts& cumulative);

}  // namespace nz::analysis
