#include "userspace/analyze/columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <limits>

namespace nz::analyze {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

bool names_a_time(const std::string& name) {
  constexpr std::array<std::string_view, 12> kNames{"timestamp", "time",  "date",  "datetime",
                                                    "ts",        "at",    "_time", "epoch",
                                                    "date_time", "index", "step",  "t"};
  return std::find(kNames.begin(), kNames.end(), lower(name)) != kNames.end();
}

std::string listed(const std::vector<std::string>& header, std::size_t cells) {
  if (header.empty()) return fmt::format("columns have numbers, 1 to {}", cells);
  std::string text = "columns: ";
  for (std::size_t i = 0; i < header.size() && i < 12; i++)
    text += (i == 0 ? "" : ", ") + header[i];
  return header.size() > 12 ? text + ", ..." : text;
}

// A name of the header, or a number from 1.
Result<std::size_t> named(const std::string& wanted, const char* what,
                          const std::vector<std::string>& header, std::size_t cells) {
  const auto at = std::find(header.begin(), header.end(), wanted);
  if (at != header.end()) return static_cast<std::size_t>(at - header.begin());
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(wanted.data(), wanted.data() + wanted.size(), number);
  if (error == std::errc{} && end == wanted.data() + wanted.size() && number >= 1 &&
      number <= cells)
    return number - 1;
  return fail(fmt::format("there is no {} column '{}'", what, wanted), listed(header, cells));
}

std::optional<std::size_t> time_column(const std::vector<std::string>& header,
                                       const std::vector<std::string_view>& row) {
  for (std::size_t i = 0; i < header.size() && i < row.size(); i++) {
    if (names_a_time(header[i]) && Times::like(row[i])) return i;
  }
  const auto first = row.size() < 2 ? std::nullopt : Times::like(row[0]);
  if (!first) return std::nullopt;
  // A header that does not call plain numbers a time means that they are none.
  if (!header.empty() && first->kind() == Times::Kind::number) {
    const bool has_value =
        std::any_of(header.begin() + 1, header.end(),
                    [](const std::string& name) { return lower(name) == "value"; });
    if (!has_value) return std::nullopt;
  }
  return 0;
}

// "2,5", which only another delimiter lets through.
bool has_decimal_comma(std::string_view cell) {
  const std::size_t comma = cell.find(',');
  if (comma == std::string_view::npos || comma == 0 || comma + 1 == cell.size()) return false;
  std::string with_point(cell);
  with_point[comma] = '.';
  return parse_number(with_point).has_value();
}

std::optional<std::size_t> value_column(const std::vector<std::string>& header,
                                        const std::vector<std::string_view>& row,
                                        std::optional<std::size_t> time) {
  for (std::size_t i = 0; i < header.size() && i < row.size(); i++) {
    if (lower(header[i]) == "value" && i != time) return i;
  }
  for (std::size_t i = 0; i < row.size(); i++) {
    if (i != time && parse_number(row[i])) return i;
  }
  // A first value that is missing.
  for (std::size_t i = 0; i < row.size(); i++) {
    if (i != time && is_missing(row[i])) return i;
  }
  return std::nullopt;
}

}  // namespace

std::optional<double> parse_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || end != text.data() + text.size()) return std::nullopt;
  // Too large or too small for a double.
  if (error == std::errc::result_out_of_range) {
    const bool tiny =
        text.find("e-") != std::string_view::npos || text.find("E-") != std::string_view::npos;
    return tiny ? 0 : std::numeric_limits<double>::infinity();
  }
  if (error != std::errc{}) return std::nullopt;
  return value;
}

bool is_missing(std::string_view text) {
  if (text.empty() || text == "-" || text == "?") return true;
  if (text.size() > 4) return false;
  const std::string word = lower(text);
  return word == "null" || word == "none" || word == "na" || word == "n/a" || word == "nan";
}

bool is_header(const std::vector<std::string_view>& cells) {
  return std::none_of(cells.begin(), cells.end(), [](std::string_view cell) {
    return parse_number(cell) || Times::like(cell);
  });
}

Result<Columns> choose_columns(const std::vector<std::string>& header,
                               const std::vector<std::string_view>& row,
                               const CsvOptions& options) {
  Columns columns;
  if (options.time_column.empty()) {
    columns.time = time_column(header, row);
    // The column of the values is told, and what looks like times is that.
    if (columns.time && !options.value_column.empty()) {
      const auto value = named(options.value_column, "value", header, row.size());
      if (value && *value == *columns.time) columns.time.reset();
    }
  } else if (options.time_column != "none") {
    const auto time = named(options.time_column, "time", header, row.size());
    if (!time) return tl::unexpected(time.error());
    columns.time = *time;
  }
  if (!options.value_column.empty()) {
    const auto value = named(options.value_column, "value", header, row.size());
    if (!value) return tl::unexpected(value.error());
    columns.value = *value;
  } else {
    const auto comma = std::find_if(row.begin(), row.end(), has_decimal_comma);
    if (comma != row.end())
      return fail("'" + std::string(*comma) + "' has a decimal comma",
                  "write decimals with a point, or name the column with --value-column");
    const auto value = value_column(header, row, columns.time);
    if (!value)
      return fail("no column has numbers",
                  "name it with --value-column; " + listed(header, row.size()));
    columns.value = *value;
  }
  if (columns.time == columns.value)
    return fail("times and values are the same column",
                "--time-column none, or name another; " + listed(header, row.size()));
  return columns;
}

}  // namespace nz::analyze
