#include "userspace/cli/table.h"

#include <algorithm>

#include "userspace/cli/terminal.h"

namespace nz::cli {
namespace {

constexpr size_t kNoLimit = static_cast<size_t>(-1);

std::string padded(const std::string& text, size_t width, Table::Align align) {
  const size_t have = columns_of(text);
  if (have >= width) return text;
  const std::string blanks(width - have, ' ');
  return align == Table::Align::right ? blanks + text : text + blanks;
}

}  // namespace

std::string Table::text(size_t width) const {
  std::vector<std::vector<std::string>> lines(1);
  for (const Column& column : columns_) lines[0].push_back(column.title);
  for (const auto& row : rows_) {
    lines.emplace_back();
    for (size_t i = 0; i < columns_.size(); i++)
      lines.back().push_back(cut(row[i], columns_[i].most == 0 ? kNoLimit : columns_[i].most));
  }
  std::vector<size_t> widths(columns_.size());
  for (const auto& line : lines) {
    for (size_t i = 0; i < line.size(); i++) widths[i] = std::max(widths[i], columns_of(line[i]));
  }
  std::string out;
  for (const auto& line : lines) {
    std::string text;
    for (size_t i = 0; i < line.size(); i++)
      text += (i == 0 ? "" : "  ") + padded(line[i], widths[i], columns_[i].align);
    text.erase(text.find_last_not_of(' ') + 1);
    out += (width == 0 ? text : cut(text, width)) + '\n';
  }
  return out;
}

}  // namespace nz::cli
