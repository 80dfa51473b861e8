// A series from a table of text: which columns, what counts as a value, what is wrong and where.
#pragma once

#include <cstddef>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "analysis/series.h"
#include "userspace/analyze/times.h"
#include "userspace/base/result.h"

namespace nz::analyze {

struct CsvOptions {
  std::string time_column;     ///< name or number from 1; "none": there is none; empty: looked for
  std::string value_column;    ///< name or number from 1; empty: looked for
  char delimiter = '\0';       ///< 0: the one of , ; tab | that the first line has most of
  bool skip_bad_rows = false;  ///< count and leave out rather than stop
};

/// Something that was found and survived, with the line where it was first.
struct Count {
  std::size_t rows = 0, first_line = 0;
  void add(std::size_t line) {
    if (rows++ == 0) first_line = line;
  }
};

struct CsvSeries {
  std::string name;        ///< of the file
  std::string value_name;  ///< of the column, or "value"
  Times times;
  analysis::Series series;  ///< in the order of the file; NaN: missing, infinite as told
  Count missing;            ///< empty, NaN, null, NA
  Count infinite;
  Count bad;              ///< rows left out (skip_bad_rows)
  Count duplicate;        ///< times that are those of the row before
  Count backward;         ///< times before that of the row before
  std::string first_bad;  ///< what was wrong with it

  /// One line for each kind that occurred, what was done about it.
  [[nodiscard]] std::vector<std::string> warnings() const;
};

/// Reads all of it: 16 bytes a row remain. With a header where no cell of the first line is a
/// number or a time. A row that is short, long, or whose time or value cannot be read ends it with
/// an error that names the line, unless told otherwise; so do more bad rows than good ones in any
/// case. `progress` is called now and then with the bytes read.
Result<CsvSeries> read_csv(std::FILE* file, const std::string& name, const CsvOptions& options,
                           const std::function<void(std::size_t)>& progress = {});

}  // namespace nz::analyze
