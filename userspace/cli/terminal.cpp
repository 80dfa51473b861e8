#include "userspace/cli/terminal.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace nz::cli {
namespace {

// Three significant digits.
std::string three(double value, const char* unit) {
  const int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return fmt::format("{:.{}f}{}", value, decimals, unit);
}

}  // namespace

std::string duration_text(double seconds) {
  if (std::isnan(seconds)) return "-";
  if (seconds < 0.9995e-6) return fmt::format("{:.0f}ns", seconds * 1e9);
  if (seconds < 0.9995e-3) return three(seconds * 1e6, "us");
  if (seconds < 0.9995) return three(seconds * 1e3, "ms");
  return three(seconds, "s");
}

std::string count_text(double n) {
  if (n < 999.5) return n == std::floor(n) ? fmt::format("{:.0f}", n) : fmt::format("{:.1f}", n);
  if (n < 999.5e3) return three(n / 1e3, "k");
  if (n < 999.5e6) return three(n / 1e6, "M");
  return three(n / 1e9, "G");
}

std::string cut(const std::string& text, size_t width) {
  std::string out;
  size_t columns = 0;
  for (size_t i = 0; i < text.size(); i++) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool continuation = (c & 0xc0U) == 0x80U;
    if (!continuation && ++columns > width) {
      while (!out.empty() && (static_cast<unsigned char>(out.back()) & 0xc0U) == 0x80U)
        out.pop_back();
      if (!out.empty()) out.pop_back();
      return out + "…";
    }
    out += c < 0x20 || c == 0x7f ? '?' : text[i];
  }
  return out;
}

size_t columns_of(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;
  }));
}

bool wants_colour() {
  const char* no_color = std::getenv("NO_COLOR");
  if (no_color != nullptr && *no_color != '\0') return false;
  const char* term = std::getenv("TERM");
  if (term != nullptr && std::string_view(term) == "dumb") return false;
  return isatty(STDOUT_FILENO) != 0;
}

size_t terminal_width() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20) return size.ws_col;
  return 100;
}

size_t line_limit() { return isatty(STDOUT_FILENO) != 0 ? terminal_width() : 0; }

bool write_out(const std::string& text) {
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() &&
         std::fflush(stdout) == 0;
}

Progress::Progress(std::string what)
    : what_(std::move(what)), start_(std::chrono::steady_clock::now()), last_(start_) {}

void Progress::at(size_t done, size_t all) {
  using namespace std::chrono_literals;
  const auto now = std::chrono::steady_clock::now();
  if (now - start_ < 1s || now - last_ < 100ms || isatty(STDERR_FILENO) == 0) return;
  last_ = now;
  shown_ = true;
  fmt::print(stderr, "\r\033[K{} {} of {}", what_, done, all);
  std::fflush(stderr);
}

Progress::~Progress() {
  if (!shown_) return;
  std::fputs("\r\033[K", stderr);
  std::fflush(stderr);
}

}  // namespace nz::cli
