// A series as a picture: one self-contained SVG file, readable on light and on dark ground.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analysis/series.h"
#include "userspace/analyze/times.h"

namespace nz::analyze {

/// What is drawn over the series; all times and values in its units.
struct Plot {
  std::string title;  ///< one line above
  std::string unit;   ///< the column's name, at the vertical axis
  Times times;
  analysis::Series series;                        ///< in the order of time
  std::vector<std::pair<double, double>> points;  ///< marked: anomalies
  struct Level {
    double from = 0, to = 0, value = 0;
  };
  std::vector<Level> levels;  ///< between changes, whose moments are their ends
  struct Line {
    double from = 0, to = 0, first = 0, last = 0;
  };
  std::optional<Line> line;     ///< a trend
  std::optional<double> limit;  ///< horizontal
};

/// 1,000 by 360. More than 2,000 points are drawn as the least and the most of each column. The
/// vertical axis is logarithmic where all values are positive and the largest is more than 50 times
/// the median. Texts are escaped.
std::string draw(const Plot& plot);

}  // namespace nz::analyze
