// Which columns of a table are the times and the values.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/analyze/csv.h"

namespace nz::analyze {

struct Columns {
  std::optional<std::size_t> time;
  std::size_t value = 0;
};

/// A number, also one that is none: 5, -1e3, nan, inf. Nothing for other text.
std::optional<double> parse_number(std::string_view text);
/// What people write where there is no value: nothing, null, NA, -.
bool is_missing(std::string_view text);

/// No cell is a number or a time.
bool is_header(const std::vector<std::string_view>& cells);

/// By the options, else by the header's names (empty: no header), else by what the first row holds.
Result<Columns> choose_columns(const std::vector<std::string>& header,
                               const std::vector<std::string_view>& first_row,
                               const CsvOptions& options);

}  // namespace nz::analyze
