// Where a series is heading, and whether that is more than noise.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "analysis/series.h"

namespace nz::analysis {

struct TrendOptions {
  double alpha = 0.05;  ///< significant below; intervals are of 1 - alpha; 0.05 or 0.01
  /// Seconds; 0: there is none; nothing: looked for (season.h).
  std::optional<double> season;
  bool clock = true;  ///< the times are a clock's: a day and a week mean something
};

struct TrendFit {
  std::size_t points = 0;   ///< finite values
  double from = 0, to = 0;  ///< Unix seconds, or what the series counts in
  double slope = 0;         ///< units per second
  double slope_least = 0, slope_most = 0;
  double p = 1;    ///< of no trend, two-sided
  double tau = 0;  ///< Kendall's, -1..1
  bool significant = false;
  double season = 0;       ///< seconds; 0: none
  double season_gain = 0;  ///< see season.h
  /// The line goes through (middle_at, middle): medians of times and of values around the line.
  double middle_at = 0, middle = 0;
  double spread = 0;  ///< of the values around the line, scaled MAD; a season counts as spread
  std::string note;   ///< why there is no trend, where that is not for want of significance

  [[nodiscard]] double value_at(double at) const { return middle + slope * (at - middle_at); }
};

/// Theil-Sen slope with Sen's interval and the test of Mann and Kendall, each in its seasonal form
/// where a season is found. Values that are not finite count as missing. Exact to 1,024 values;
/// longer series are reduced to the medians of 1,024 equal stretches of time (with a season: to its
/// phases, in at most 400 cycles, else to whole cycles), which takes nothing from a slope that is a
/// matter of pairs far apart: 10 million points cost one pass and 10 ms. Fewer than 8 values are
/// never significant. Requires ascending times.
TrendFit fit_trend(const Series& series, const TrendOptions& options = {});

}  // namespace nz::analysis
