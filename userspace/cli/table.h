// A table of text whose columns align.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace nz::cli {

class Table {
 public:
  enum class Align { left, right };
  struct Column {
    std::string title;
    Align align = Align::left;
    size_t most = 0;  ///< columns of text at most, the rest is cut; 0: no limit
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  /// One cell for each column.
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  /// Title line and rows; lines are cut at `width` columns (0: never), none ends in blanks.
  [[nodiscard]] std::string text(size_t width = 0) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace nz::cli
