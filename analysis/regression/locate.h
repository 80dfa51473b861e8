// When exactly a series of histograms changed, and whether it stayed so.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "analysis/regression/slice.h"

namespace nz::analysis {

enum class Shape {
  step,       ///< it lasts, or lasted longer than a spike
  spike,      ///< it came back at once
  undecided,  ///< too little is known of what came after
};

struct LocateOptions {
  double spike_seconds = 120;   ///< what is back within it was a spike
  std::size_t back_slices = 3;  ///< so many in a row that are as before: it is back
  std::size_t least_after = 3;  ///< so many after the change before it is called a step
};

struct Located {
  std::size_t index = 0;            ///< first slice of the new regime
  double at = 0;                    ///< Unix seconds: the likeliest moment, inside a slice where
                                    ///< that one is half changed
  double earliest = 0, latest = 0;  ///< 95 % of the likelihood, in whole slices
  Shape shape = Shape::undecided;
  std::size_t end = 0;  ///< first slice that is as before again; all of them: none
  double until = 0;     ///< Unix seconds, its beginning; 0 while it lasts
};

/// Each slice is reduced to one figure, how much more its values look like those after `about` than
/// like those before (mean log-likelihood ratio of its buckets, limited so that one strange value
/// counts little); a change in a single quantile shows in it as one of all. The moment is that of
/// the likeliest division of these figures into two levels, whose noise is that of the figures
/// themselves, autocorrelation included. `about` is a rough time, from a change point detector; the
/// change is looked for around it. Nothing where both sides do not differ or one has no values.
/// Slices are in the order of time and need not be of one length.
std::optional<Located> locate_change(std::span<const Slice> slices, double about,
                                     const LocateOptions& options = {});

}  // namespace nz::analysis
