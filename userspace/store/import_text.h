// Lines of an export, read back.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "analysis/event.h"
#include "userspace/base/result.h"
#include "userspace/history/series.h"
#include "userspace/store/cell.h"
#include "userspace/store/export.h"

namespace nz::store {

struct ImportedPoint {
  history::Series series;
  Level level = Level::minute;
  Interval interval;
  Cell cell;
};
/// Nothing of it can be kept.
enum class LeftOut : std::uint8_t {
  quantiles,     ///< a histogram in a CSV
  not_a_number,  ///< a sample of a counter in OpenMetrics that is none
  backward,      ///< one in OpenMetrics that is not later than the one of its series before it
  exemplar       ///< in OpenMetrics; what it stands behind is kept
};
/// A sample of OpenMetrics in the first pass.
struct Seen {};
/// A line that says nothing: empty, or the head of a CSV.
struct NoLine {};
using ImportedLine = std::variant<NoLine, Seen, LeftOut, ImportedPoint, analysis::Event>;

class LineReader {
 public:
  LineReader() = default;
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;
  virtual ~LineReader() = default;
  /// Adds what one line, without its end, tells. Error: its code is the column, 0 where it is not
  /// known.
  virtual Result<void> read(const std::string& line, std::vector<ImportedLine>& out) = 0;
  /// There is no further line. Error: there should be.
  virtual Result<void> end(std::vector<ImportedLine>&) { return {}; }
};

/// For csv or jsonl.
std::unique_ptr<LineReader> line_reader(Format format);

/// One row of a CSV (RFC 4180) on one line; nothing where a quote is not closed.
std::optional<std::vector<std::string>> csv_cells(const std::string& line);

}  // namespace nz::store
