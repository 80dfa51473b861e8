// A rough change point of a series of histograms made into a regression that can be told: when,
// which quantiles, how sure, beside what else happened.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "analysis/event.h"
#include "analysis/regression.h"
#include "analysis/regression/compare.h"
#include "analysis/regression/locate.h"

namespace nz::analysis {

struct JudgeOptions {
  ShiftOptions shift;
  LocateOptions locate;
  double event_seconds = 600;   ///< events further off than this are not named
  std::size_t most_events = 8;  ///< nearest first
};

struct Verdict {
  Shape shape = Shape::undecided;
  Located located;
  Shift shift;
  /// Empty for a spike, while undecided, and where no quantile moved for sure.
  std::optional<Regression> regression;
};

/// `slices` reach from well before `about` to now (an hour before it, at most 200 slices). What
/// lies inside the interval of the moment is of neither side. Nothing where there is no change.
std::optional<Verdict> judge(const Quantity& of, std::span<const Slice> slices, double about,
                             std::span<const Event> events, const JudgeOptions& options = {});

/// Of a series of numbers, from a change point: medians of both sides, its times and confidence.
/// `worse` is for the caller to say: a rate that falls may be a quiet market.
Regression regression_of(const Quantity& of, double before, double after, double at,
                         double earliest, double latest, double confidence,
                         std::span<const Event> events, const JudgeOptions& options = {});

/// Those that may explain a change between `earliest` and `latest`, nearest first: the host's and
/// those of the series' target. A cause comes first, so that what follows the change is taken for
/// twice as far off.
std::vector<Event> events_near(std::span<const Event> events, const Labels& labels, double earliest,
                               double latest, double seconds, std::size_t most);

}  // namespace nz::analysis
