// History as text for other programs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/window.h"
#include "userspace/base/result.h"
#include "userspace/store/level.h"
#include "userspace/store/reader.h"

namespace nz::store {

/// csv: a row an interval, histograms as count, sum and quantiles. jsonl: an object an interval,
/// with whole histograms, and events: what an import brings back without loss. openmetrics: for
/// `promtool tsdb create-blocks-from openmetrics`.
enum class Format : std::uint8_t { csv, jsonl, openmetrics };

struct ExportOptions {
  Format format = Format::csv;
  std::vector<std::string> series = {};  ///< names of families, globs; none: all, and events
  analysis::Labels labels = {};          ///< that a series must have
  double from = 0, to = std::numeric_limits<double>::infinity();  ///< Unix seconds
  std::vector<Level> levels{Level::minute};
  std::vector<double> quantiles{0.5, 0.9, 0.99, 0.999};  ///< csv
};

struct Exported {
  std::size_t series = 0;  ///< that had an interval in the range
  std::size_t points = 0, events = 0;
};

/// Writes to `sink` in pieces of some 64 KB; it gives false where nothing more can be written,
/// which ends the export without an error of its own. `progress` is told now and then, and gives
/// false to stop. Memory does not grow with the history. Error: of the file.
Result<Exported> export_history(
    Reader& reader, const ExportOptions& options, const std::function<bool(std::string_view)>& sink,
    const std::function<bool(std::size_t done, std::size_t all)>& progress = {});

}  // namespace nz::store
