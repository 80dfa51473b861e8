// What the answers to a file look like over its series.
#pragma once

#include <vector>

#include "userspace/analyze/anomalies.h"
#include "userspace/analyze/changes.h"
#include "userspace/analyze/svg.h"
#include "userspace/analyze/trend_output.h"

namespace nz::analyze {

/// The strangest point of each episode is marked.
Plot picture_of(const CsvSeries& csv, const std::vector<Episode>& episodes);
/// The level between each two changes.
Plot picture_of(const CsvSeries& csv, const std::vector<Change>& changes);
/// The line, prolonged to the limit where it is reached within as long as the series is.
Plot picture_of(const CsvSeries& csv, const TrendAnswer& answer);

}  // namespace nz::analyze
