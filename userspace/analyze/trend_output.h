// Where a file's series is heading, in words and in JSON.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "analysis/trend/forecast.h"
#include "userspace/analyze/csv.h"

namespace nz::analyze {

struct TrendAnswer {
  analysis::TrendFit trend;
  std::optional<analysis::Forecast> forecast;  ///< where a limit was told
};

struct TrendQuestion {
  std::optional<double> limit;
  analysis::Bound bound = analysis::Bound::either;
  std::optional<double> season;  ///< in the file's seconds or numbers; 0: none
};

/// In the order of time; see analysis/trend.
TrendAnswer find_trend(const CsvSeries& csv, const TrendQuestion& question);

/// Slopes are per day where the times are a clock's, else per unit of the time column.
std::string trend_json(const CsvSeries& csv, const TrendAnswer& answer);
std::string trend_text(const CsvSeries& csv, const TrendAnswer& answer);

}  // namespace nz::analyze
