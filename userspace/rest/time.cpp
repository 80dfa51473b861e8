#include "userspace/rest/time.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <ctime>

namespace nz::rest {
namespace {

std::optional<double> number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value))
    return std::nullopt;
  return value;
}

// Two or four digits, followed by `after`; takes them off `text`.
std::optional<int> digits(std::string_view& text, std::size_t n, std::string_view after) {
  if (text.size() < n) return std::nullopt;
  int value = 0;
  for (const char c : text.substr(0, n)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(n);
  if (after.empty()) return value;
  if (text.empty() || after.find(text.front()) == std::string_view::npos) return std::nullopt;
  text.remove_prefix(1);
  return value;
}

std::optional<double> offset(std::string_view text) {
  if (text == "Z" || text == "z") return 0;
  if (text.empty() || std::string_view("+- ").find(text.front()) == std::string_view::npos)
    return std::nullopt;
  const double sign = text.front() == '-' ? -1 : 1;
  text.remove_prefix(1);
  const auto hours = digits(text, 2, ":");
  const auto minutes = hours ? digits(text, 2, "") : std::nullopt;
  if (!minutes || !text.empty() || *hours > 23 || *minutes > 59) return std::nullopt;
  return sign * (*hours * 3600 + *minutes * 60);
}

std::optional<double> rfc3339(std::string_view text) {
  std::tm t{};
  const auto year = digits(text, 4, "-");
  const auto month = year ? digits(text, 2, "-") : year;
  const auto day = month ? digits(text, 2, "Tt ") : month;
  const auto hour = day ? digits(text, 2, ":") : day;
  const auto minute = hour ? digits(text, 2, ":") : hour;
  const auto second = minute ? digits(text, 2, "") : minute;
  if (!second || *month < 1 || *month > 12 || *day < 1 || *day > 31 || *hour > 23 || *minute > 59 ||
      *second > 60)
    return std::nullopt;
  double fraction = 0;
  if (text.starts_with('.')) {
    const auto end = text.find_first_not_of("0123456789", 1);
    const auto parsed = number("0" + std::string(text.substr(0, end)));
    if (!parsed || end == 1 || end == std::string_view::npos) return std::nullopt;
    fraction = *parsed;
    text.remove_prefix(end);
  }
  const auto east = offset(text);
  if (!east) return std::nullopt;
  t.tm_year = *year - 1900;
  t.tm_mon = *month - 1;
  t.tm_mday = *day;
  t.tm_hour = *hour;
  t.tm_min = *minute;
  t.tm_sec = *second;
  return static_cast<double>(timegm(&t)) + fraction - *east;
}

}  // namespace

std::optional<double> parse_seconds(std::string_view text) {
  struct Unit {
    std::string_view name;
    double seconds;
  };
  constexpr std::array<Unit, 5> kUnits{
      {{"ms", 1e-3}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}}};
  if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
  for (const Unit& unit : kUnits) {
    if (!text.ends_with(unit.name)) continue;
    const auto value = number(text.substr(0, text.size() - unit.name.size()));
    if (!value) return std::nullopt;
    return *value * unit.seconds;
  }
  return number(text);
}

std::optional<double> parse_time(std::string_view text, double now) {
  if (text == "now") return now;
  if (text.starts_with('-')) {
    const auto before = parse_seconds(text.substr(1));
    return before ? std::optional(now - *before) : std::nullopt;
  }
  if (const auto seconds = number(text); seconds && *seconds >= 0) return seconds;
  return rfc3339(text);
}

std::string format_time(double unix_seconds) {
  // Beyond the year 9999 there is no RFC 3339.
  const double limited =
      std::isfinite(unix_seconds) ? std::clamp(unix_seconds, 0.0, 253402300799.0) : 0.0;
  const auto ms = static_cast<long long>(std::llround(limited * 1000));
  const std::time_t seconds = ms / 1000;
  std::tm t{};
  gmtime_r(&seconds, &t);
  std::array<char, 40> text{};
  const std::size_t n = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &t);
  std::snprintf(text.data() + n, text.size() - n, ".%03dZ", static_cast<int>(ms % 1000));
  return text.data();
}

}  // namespace nz::rest
