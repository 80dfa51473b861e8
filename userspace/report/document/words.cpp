#include "userspace/report/document/words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>

#include "analysis/text.h"

namespace nz::report {
namespace {

std::string two(long long large, const char* large_unit, long long small, const char* small_unit) {
  return small == 0 ? fmt::format("{} {}", large, large_unit)
                    : fmt::format("{} {} {} {}", large, large_unit, small, small_unit);
}

}  // namespace

std::string time_text(double unix_seconds, const char* format) {
  // Beyond the year 9999 no date has four digits.
  const double limited =
      std::isfinite(unix_seconds) ? std::clamp(unix_seconds, 0.0, 253402300799.0) : 0.0;
  const auto seconds = static_cast<std::time_t>(std::floor(limited));
  std::tm t{};
  gmtime_r(&seconds, &t);
  std::array<char, 64> text{};
  std::strftime(text.data(), text.size(), format, &t);
  return text.data();
}

Clock::Clock(double from, double to)
    : one_day_(std::floor(from / kDaySeconds) == std::floor(to / kDaySeconds)),
      from_(from),
      to_(to) {}

std::string Clock::at(double unix_seconds) const {
  const bool same_day =
      one_day_ && std::floor(unix_seconds / kDaySeconds) == std::floor(from_ / kDaySeconds);
  if (same_day) return time_text(unix_seconds, "%H:%M:%S");
  constexpr double kYear = 300 * kDaySeconds;
  const bool far = unix_seconds < from_ - kYear || unix_seconds > to_ + kYear;
  return time_text(unix_seconds, far ? "%d %b %Y" : "%d %b %H:%M");
}

std::string span_text(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) return "0 s";
  if (seconds < 10 && seconds != std::floor(seconds)) return analysis::seconds_text(seconds);
  const auto s = static_cast<long long>(std::llround(std::min(seconds, 1e15)));
  if (s < 120) return fmt::format("{} s", s);
  const long long minutes = (s + 30) / 60;
  if (minutes < 60) return fmt::format("{} min", minutes);
  constexpr long long kMinutesOfDay = 1440;
  if (minutes < kMinutesOfDay) return two(minutes / 60, "h", minutes % 60, "min");
  const long long hours = (s + 1800) / 3600;
  return two(hours / 24, "d", hours % 24, "h");
}

std::string lasting_text(const Clock& clock, double since, double until, double now) {
  if (until > 0) {
    return fmt::format("from {} to {}, {}", clock.at(since), clock.at(until),
                       span_text(until - since));
  }
  return fmt::format("since {}, {} so far", clock.at(since), span_text(now - since));
}

std::string change_text(double now, double before) {
  if (!std::isfinite(now) || !std::isfinite(before) || (now == 0 && before == 0)) return "";
  if (before == 0) return "new";
  if (now == 0) return "gone";
  const double ratio = now / before;
  constexpr double kSame = 0.02, kFactor = 3;
  if (std::fabs(ratio - 1) <= kSame) return "same";
  if (ratio >= kFactor) return "\xC3\x97 " + analysis::number_text(ratio);  // multiplication sign
  const double percent = (ratio - 1) * 100;
  return fmt::format("{}{:.0f} %", percent > 0 ? "+" : "\xE2\x88\x92", std::fabs(percent));
}

Tone change_tone(double now, double before, Worse worse) {
  if (worse == Worse::neither || !std::isfinite(now) || !std::isfinite(before) || before <= 0)
    return Tone::none;
  constexpr double kTold = 0.2;
  const double change = now / before - 1;
  if (std::fabs(change) < kTold) return Tone::none;
  return (change > 0) == (worse == Worse::more) ? Tone::bad : Tone::good;
}

std::string counted(double n, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", analysis::number_text(n), n == 1 ? one : many);
}

std::string listed(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); i++) {
    if (i > 0) text += i + 1 == words.size() ? " and " : ", ";
    text += words[i];
  }
  return text;
}

std::string shortened(const std::string& text, std::size_t most) {
  if (text.size() <= most) return text;
  std::size_t end = most;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) end--;
  return text.substr(0, end) + " \xE2\x80\xA6";
}

std::string sentence(std::string text) {
  if (!text.empty() && text.back() != '.' && text.back() != '?' && text.back() != '!') text += '.';
  return text;
}

std::string confidence_text(double confidence) {
  return confidence >= 0.8 ? "almost certainly" : confidence >= 0.6 ? "likely" : "possibly";
}

Text advice_text(const std::string& line) {
  constexpr std::string_view kStatement = "CREATE ";
  if (!line.starts_with(kStatement)) return {shortened(line, 1000)};
  const std::size_t end = line.find(" -- ");
  Text text;
  text.code(shortened(line.substr(0, end), 1000));
  if (end != std::string::npos) text.plain(" (" + shortened(line.substr(end + 4), 500) + ")");
  return text;
}

std::string figure_or_dash(double value, std::string_view unit) {
  return std::isfinite(value) ? analysis::figure_text(value, unit) : "\xE2\x80\x93";
}

}  // namespace nz::report
