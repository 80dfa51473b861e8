// Lines of an export, read back.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

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
/// Nothing of it can be kept: a histogram in a CSV.
struct LeftOut {};
/// A line that says nothing: empty, or the head of a CSV.
struct NoLine {};
using ImportedLine = std::variant<NoLine, LeftOut, ImportedPoint, analysis::Event>;

class LineReader {
 public:
  LineReader() = default;
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;
  virtual ~LineReader() = default;
  /// One line without its end. Error: its code is the column, 0 where it is not known.
  virtual Result<ImportedLine> read(const std::string& line) = 0;
};

/// For csv or jsonl.
std::unique_ptr<LineReader> line_reader(Format format);

/// One row of a CSV (RFC 4180) on one line; nothing where a quote is not closed.
std::optional<std::vector<std::string>> csv_cells(const std::string& line);

}  // namespace nz::store
