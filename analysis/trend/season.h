// Whether a series repeats itself, and after how long.
#pragma once

#include "analysis/series.h"

namespace nz::analysis {

struct Season {
  double period = 0;  ///< seconds; 0: none
  /// Share of the spread that the other cycles foretell of each cycle, 0..1.
  double gain = 0;
};

/// Judged by leaving each cycle out and foretelling it from the others, phase by phase:
/// autocorrelation, which looks like a season inside one cycle, foretells nothing of the next. At
/// least three cycles, of which the newest 64 are looked at. Candidates: day and week where `clock`
/// (the times are a clock's), and the strongest autocorrelation that is no part of a longer one.
/// Requires ascending times and finite values.
Season find_season(const Series& series, bool clock);

/// How much a season of `period` explains; 0 where it explains nothing or cannot be judged.
double season_gain(const Series& series, double period);

/// Into how many phases a period is divided: at most 24, and no more than it has values.
std::size_t phases_of(const Series& series, double period);

}  // namespace nz::analysis
