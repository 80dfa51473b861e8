#include "analysis/text.h"

#include <array>
#include <cmath>
#include <cstdio>

namespace nz::analysis {
namespace {

// Three digits: 4.25, 42.5, 425.
std::string digits(double value) {
  const double size = std::fabs(value);
  const int decimals = size >= 99.95 || size == 0 ? 0 : size >= 9.995 ? 1 : 2;
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  std::string result = text.data();
  if (decimals > 0) {
    while (result.back() == '0') result.pop_back();
    if (result.back() == '.') result.pop_back();
  }
  return result;
}

}  // namespace

std::string seconds_text(double seconds) {
  const double size = std::fabs(seconds);
  constexpr double kRoundsUp = 0.9995;  // 999.7 us is 1 ms in three digits
  if (size >= kRoundsUp) return digits(seconds) + " s";
  if (size >= kRoundsUp * 1e-3) return digits(seconds * 1e3) + " ms";
  if (size >= kRoundsUp * 1e-6 || size == 0) return digits(seconds * 1e6) + " us";
  return digits(seconds * 1e9) + " ns";
}

std::string percent_text(double share) { return digits(share * 100) + " %"; }

std::string number_text(double value) {
  const double size = std::fabs(value);
  if (size >= 1e9) return digits(value / 1e9) + "G";
  if (size >= 1e6) return digits(value / 1e6) + "M";
  if (size >= 1e4) return digits(value / 1e3) + "k";
  return digits(value);
}

std::string bytes_text(double bytes) {
  constexpr std::array<const char*, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  while (std::fabs(bytes) >= 1024 && unit + 1 < kUnits.size()) {
    bytes /= 1024;
    unit++;
  }
  return digits(bytes) + " " + kUnits[unit];
}

std::string figure_text(double value, std::string_view unit) {
  if (unit == "seconds") return seconds_text(value);
  if (unit == "ratio") return percent_text(value);
  if (unit == "bytes") return bytes_text(value);
  if (unit == "per second") return number_text(value) + "/s";
  if (unit == "cores") return digits(value) + (value == 1 ? " core" : " cores");
  return number_text(value);
}

std::string selector(std::string_view name, const Labels& labels) {
  std::string text(name);
  if (labels.empty()) return text;
  char before = '{';
  for (const auto& [key, value] : labels) {
    text += before;
    text += key + "=\"";
    for (const char c : value) {
      if (c == '\n') {
        text += "\\n";
        continue;
      }
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
    text += '"';
    before = ',';
  }
  return text + "}";
}

Evidence evidence(std::string_view name, const Labels& labels, std::string_view what, double value,
                  std::optional<double> before, std::string_view unit) {
  Evidence e;
  e.series = selector(name, labels);
  e.text = std::string(what) + ": " + figure_text(value, unit) +
           (before ? " (before: " + figure_text(*before, unit) + ")" : "");
  e.value = value;
  e.unit = unit.empty() ? "count" : std::string(unit);
  return e;
}

}  // namespace nz::analysis
