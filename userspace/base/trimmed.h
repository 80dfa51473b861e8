// Text without blanks at its ends.
#pragma once

#include <string_view>

namespace nz {

/// A view into `text` without the characters of `blanks` at both ends; empty where it holds no
/// other.
constexpr std::string_view trimmed(std::string_view text, std::string_view blanks = " \t\r\n") {
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

}  // namespace nz
