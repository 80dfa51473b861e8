// History from the text that an export wrote, here or on another host.
#pragma once

#include <cstddef>
#include <cstdio>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "userspace/base/result.h"
#include "userspace/store/export.h"

namespace nz::store {

struct Imported {
  std::size_t lines = 0;         ///< read, without empty ones and the head of a CSV
  std::size_t points = 0;        ///< intervals that are in the history now
  std::size_t known = 0;         ///< left out: the series has something at that time already
  std::size_t left_out = 0;      ///< histograms of a CSV, which has only their quantiles
  std::size_t not_a_number = 0;  ///< OpenMetrics: samples of counters that were left out
  std::size_t backward = 0;      ///< OpenMetrics: left out, not later than the one before
  std::size_t exemplars = 0;     ///< OpenMetrics: left out
  std::size_t damaged = 0;       ///< blocks of the history that had lost some of theirs
  std::size_t series = 0, events = 0;
  Level level = Level::minute;  ///< OpenMetrics: of all points
  /// OpenMetrics: histograms that came as one counter for each bucket, their count and their sum.
  std::vector<std::string> by_bucket;
};

/// Reads `file` twice: first all of it is checked, so that one line that cannot be read keeps all
/// of it out (once more where OpenMetrics' histograms turn out late to be by bucket); then it is
/// written in short transactions, beside a running agent. One that is interrupted there can be
/// repeated: what is known is left out. `name` is what errors call the file; it must be possible to
/// go back to its begin. `path` is made if it is not there. `level`: of OpenMetrics, which does not
/// tell it (see openmetrics_reader()). Error: with line and column.
Result<Imported> import_history(
    const std::string& path, std::FILE* file, const std::string& name, Format format,
    const std::function<bool(std::size_t done, std::size_t all)>& progress = {},
    std::optional<Level> level = {});

}  // namespace nz::store
