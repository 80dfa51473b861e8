// How strange each point of a file is.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "userspace/analyze/csv.h"

namespace nz::analyze {

/// Of each point, in the order of the file.
struct Scores {
  std::vector<double> score;     ///< 0..1; 0 for a missing value
  std::vector<double> expected;  ///< what the points before let expect; NaN: nothing yet
};

/// One pass of the agent's own detector (analysis/detect/anomaly.h) in the order of time, each
/// point judged from those before it alone. `progress` is called now and then with the points done.
Scores score_points(const CsvSeries& csv, const std::function<void(std::size_t)>& progress = {});

/// Neighbouring points at or above the threshold, with up to three others between them, as one.
struct Episode {
  std::size_t first = 0, last = 0, worst = 0;  ///< in the order of the file
  std::size_t points = 0;                      ///< at or above the threshold
};
std::vector<Episode> episodes(const Scores& scores, double threshold);

/// `{"index":0,"timestamp":...,"value":...,"score":...}`, a line a point. False when `write` did.
bool write_scores(const CsvSeries& csv, const Scores& scores,
                  const std::function<bool(const std::string&)>& write);

/// For people: the `most` strangest episodes in the order of time, and how many there are.
std::string anomaly_table(const CsvSeries& csv, const Scores& scores, double threshold,
                          std::size_t most, std::size_t width);

}  // namespace nz::analyze
