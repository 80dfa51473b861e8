// Where the level of a file's series changed.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "analysis/detect/change_points.h"
#include "userspace/analyze/csv.h"

namespace nz::analyze {

struct Change {
  std::size_t index = 0;                 ///< first point of the new level, in the file
  std::size_t earliest = 0, latest = 0;  ///< likewise: where it may lie
  double before = 0, after = 0, size = 0, confidence = 0;  ///< as analysis::ChangePoint
};

/// The agent's own change points (analysis/detect/change_points.h) in the order of time. Rows that
/// are missing from evenly spaced times count as missing values.
std::vector<Change> find_changes(const CsvSeries& csv);

/// One object: {"indices": [...], "changes": [{"index", "time", "size", ...}], ...}.
std::string changes_json(const CsvSeries& csv, const std::vector<Change>& changes);
std::string change_table(const CsvSeries& csv, const std::vector<Change>& changes,
                         std::size_t width);

}  // namespace nz::analyze
