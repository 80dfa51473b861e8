// Figures in JSON and in tables.
#pragma once

#include <string>
#include <string_view>

#include "userspace/analyze/times.h"

namespace nz::analyze {

/// Shortest text that reads back as the same number; null for what is not finite.
std::string json_number(double value);
/// In quotes, escaped; bytes that are no UTF-8 become the replacement character.
std::string json_text(std::string_view text);
/// As the file had it: a number, or text in quotes.
std::string json_time(const Times& times, double at);

/// Five digits: "0.0012346", "12346", "1.2e+09"; "-" for NaN.
std::string cell(double value);
/// "+12.3 %", "x 4.10" from double on; "-" where nothing can be said.
std::string change_cell(double size);

}  // namespace nz::analyze
