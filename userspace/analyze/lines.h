// Lines of a text file, read once from the beginning to the end, and their cells.
#pragma once

#include <cstddef>
#include <cstdio>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/base/result.h"

namespace nz::analyze {

/// One record of a CSV file at a time: a line, or several where a quoted cell has line breaks.
class Lines {
 public:
  /// A record longer than this is no line of a table.
  static constexpr std::size_t kMost = std::size_t{1} << 20;

  /// Does not close the file. `name` is for errors.
  Lines(std::FILE* file, std::string name) : file_(file), name_(std::move(name)) {}

  /// The next record that is not blank, without its line end, valid until the next call; false at
  /// the end. Errors: reading fails, what is no text, records that never end.
  Result<bool> next(std::string_view& record);
  /// "FILE:LINE", of the last record's first line.
  [[nodiscard]] std::string where() const;
  [[nodiscard]] std::size_t line() const { return line_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  Result<bool> fill();
  Result<void> check_beginning();
  Result<bool> extend(std::size_t& end);

  std::FILE* file_;
  std::string name_;
  std::string buffer_;
  std::size_t begin_ = 0;  // of what is not told yet
  std::size_t line_ = 0, next_line_ = 1;
  std::size_t bytes_ = 0;  // told
  bool first_ = true, end_of_file_ = false;
};

/// Cells of one record: quotes removed, blanks around unquoted ones too. Views into the record or
/// into `scratch`.
void split(std::string_view record, char delimiter, std::vector<std::string_view>& cells,
           std::deque<std::string>& scratch);

/// The one of , ; tab | that the record has most of; a comma where it has none.
char guess_delimiter(std::string_view record);

}  // namespace nz::analyze
