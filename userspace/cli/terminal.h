// Text for people: durations and counts of constant width, colours only on a terminal.
#pragma once

#include <chrono>
#include <string>

namespace nz::cli {

/// "12.3us", "1.00ms", "950ns", "2.10s", "-" for NaN; at most 7 characters.
std::string duration_text(double seconds);
/// "950", "12.3k", "4.56M"; at most 6 characters.
std::string count_text(double n);
/// At most `width` columns; cut in the middle of UTF-8 never, "…" where cut. Control characters of
/// the outside world (a statement's text, a command's name) are shown as '?'.
std::string cut(const std::string& text, size_t width);
/// Columns that UTF-8 text takes, every character one.
size_t columns_of(const std::string& text);
/// Whether standard output wants colours: a terminal that is not `dumb`, and NO_COLOR unset or
/// empty (no-color.org).
bool wants_colour();
/// Columns of the terminal; 100 where there is none.
size_t terminal_width();
/// Where lines end: the terminal's columns, or 0 (nowhere) when the output goes to a file or a
/// pipe.
size_t line_limit();
/// Writes and flushes; false when the reader has gone or the disk is full.
bool write_out(const std::string& text);

/// One line on standard error that is overwritten, for what takes long: shown on a terminal only,
/// from the second second on, and removed at the end.
class Progress {
 public:
  explicit Progress(std::string what);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void at(size_t done, size_t all);

 private:
  std::string what_;
  std::chrono::steady_clock::time_point start_, last_;
  bool shown_ = false;
};

}  // namespace nz::cli
