#include "userspace/config/units.h"

#include <charconv>
#include <cmath>

namespace nz::config {
namespace {

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
  const double factor = unit == "ms" ? 1 : unit == "s" ? 1000 : unit == "m" ? 60000 : 0;
  constexpr double kMost = 1e12;  // 31 years in milliseconds: far from overflow, beyond any use
  if (factor == 0 || *value * factor > kMost) return std::nullopt;
  return std::chrono::milliseconds(std::llround(*value * factor));
}

std::string format_duration(std::chrono::milliseconds duration) {
  const auto count = duration.count();
  if (count != 0 && count % 60000 == 0) return std::to_string(count / 60000) + "m";
  if (count != 0 && count % 1000 == 0) return std::to_string(count / 1000) + "s";
  return std::to_string(count) + "ms";
}

std::optional<double> parse_percent(std::string_view text) {
  std::string_view unit;
  const auto value = leading_number(text, unit);
  if (!value || unit != "%") return std::nullopt;
  return *value / 100;
}

}  // namespace nz::config
