// Is this text at all? Asked before the YAML parser sees it: a core dump or a UTF-16 file given by
// mistake should be named as such, not as a syntax error.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace nz::config {

struct TextProblem {
  int line = 1, column = 1;  ///< from 1; the column in bytes
  std::string what;
};

/// The first byte that is neither UTF-8 nor a tab or line end, if any.
std::optional<TextProblem> check_text(std::string_view bytes);

}  // namespace nz::config
