// When a limit is reached if a series goes on as it does: a disk that fills, a WAL that grows, a
// latency that eats its budget.
#pragma once

#include "analysis/series.h"
#include "analysis/trend/trend.h"

namespace nz::analysis {

enum class Bound {
  either,  ///< reached when the line crosses it from where it is now
  upper,   ///< reached at or above
  lower    ///< reached at or below
};

struct Forecast {
  enum class Outcome {
    reached,   ///< it is there already
    ahead,     ///< at `likeliest`
    away,      ///< the trend leads away from it
    no_trend,  ///< no significant trend: nothing can be said
  };
  Outcome outcome = Outcome::no_trend;
  double limit = 0;
  double level = 0;  ///< of the line at the end of the series
  /// In the series' time. `latest` is infinite where the interval of the slope holds one that never
  /// gets there. Of the line, not of single values, which reach the limit earlier.
  double earliest = 0, likeliest = 0, latest = 0;
  /// What the forecast rests on: the newest part of the series where its slope differs from that of
  /// the whole (looked for three times by halves).
  TrendFit trend;
  bool bent = false;  ///< only a part is used
};

/// Requires ascending times.
Forecast forecast(const Series& series, double limit, Bound bound = Bound::either,
                  const TrendOptions& options = {});

}  // namespace nz::analysis
