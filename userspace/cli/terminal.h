// Text for people: durations and counts of constant width, colours only on a terminal.
#pragma once

#include <string>

namespace nz::cli {

/// "12.3us", "1.00ms", "950ns", "2.10s", "-" for NaN; at most 7 characters.
std::string duration_text(double seconds);
/// "950", "12.3k", "4.56M"; at most 6 characters.
std::string count_text(double n);
/// At most `width` columns; cut in the middle of UTF-8 never, "…" where cut. Control characters of
/// the outside world (a statement's text, a command's name) are shown as '?'.
std::string cut(const std::string& text, size_t width);
/// Whether standard output wants colours: a terminal that is not `dumb`, and NO_COLOR unset or empty
/// (no-color.org).
bool wants_colour();
/// Columns of the terminal; 100 where there is none.
size_t terminal_width();

}  // namespace nz::cli
