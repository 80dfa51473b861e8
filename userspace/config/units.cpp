#include "userspace/config/units.h"

#include <array>
#include <charconv>
#include <cmath>

namespace nz::config {
namespace {

// In milliseconds, the longest first.
constexpr std::array<std::pair<std::string_view, std::int64_t>, 5> kUnits = {
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};

/// A number without sign or exponent, up to the first other character, which goes to `rest`.
std::optional<double> leading_number(std::string_view text, std::string_view& rest) {
  if (text.empty() || text[0] < '0' || text[0] > '9') return std::nullopt;
  double value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc()) return std::nullopt;
  rest = text.substr(static_cast<std::size_t>(end - text.data()));
  return value;
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  std::string_view unit;
  const auto value = leading_number(text, unit);
  if (!value) return std::nullopt;
  double factor = 0;
  for (const auto& [name, milliseconds] : kUnits) {
    if (unit == name) factor = static_cast<double>(milliseconds);
  }
  constexpr double kMost = 1e12;  // 31 years in milliseconds: far from overflow, beyond any use
  if (factor == 0 || *value * factor > kMost) return std::nullopt;
  return std::chrono::milliseconds(std::llround(*value * factor));
}

std::string format_duration(std::chrono::milliseconds duration) {
  const auto count = duration.count();
  for (const auto& [name, milliseconds] : kUnits) {
    if (count != 0 && count % milliseconds == 0)
      return std::to_string(count / milliseconds) + std::string(name);
  }
  return "0ms";
}

std::optional<double> parse_percent(std::string_view text) {
  std::string_view unit;
  const auto value = leading_number(text, unit);
  if (!value || unit != "%") return std::nullopt;
  return *value / 100;
}

}  // namespace nz::config
