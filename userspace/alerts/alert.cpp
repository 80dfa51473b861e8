#include "userspace/alerts/alert.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <ctime>

#include "analysis/text.h"

namespace nz::alerts {
namespace {

constexpr double kLastTime = 253402300799.0;  // of year 9999

std::tm utc(double unix_seconds) {
  const auto whole = static_cast<std::time_t>(
      std::floor(std::isfinite(unix_seconds) ? std::clamp(unix_seconds, 0.0, kLastTime) : 0.0));
  std::tm out{};
  gmtime_r(&whole, &out);
  return out;
}

}  // namespace

const char* word(State state) {
  switch (state) {
    case State::pending:
      return "pending";
    case State::firing:
      return "firing";
    case State::resolved:
      return "resolved";
  }
  return "";
}

// FNV-1a of the label pairs, each followed by a byte that no text has.
std::string Alert::fingerprint() const {
  analysis::Labels sorted = labels;
  std::sort(sorted.begin(), sorted.end());
  std::uint64_t hash = 0xcbf29ce484222325U;
  const auto take = [&hash](std::string_view text) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    hash = (hash ^ 0xffU) * 0x100000001b3U;
  };
  for (const auto& [key, value] : sorted) {
    take(key);
    take(value);
  }
  return fmt::format("{:016x}", hash);
}

std::string value_text(double value, std::string_view unit) {
  if (std::isnan(value)) return "-";
  if (std::isinf(value)) return value > 0 ? "infinite" : "-infinite";
  if (unit == "bytes per second") return analysis::bytes_text(value) + "/s";
  if (unit == "seconds per second") return analysis::percent_text(value);
  return analysis::figure_text(value, unit);
}

std::string time_of_day(double unix_seconds) {
  const std::tm t = utc(unix_seconds);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02} UTC", t.tm_year + 1900, t.tm_mon + 1,
                     t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec);
}

std::string rfc3339(double unix_seconds) {
  const std::tm t = utc(unix_seconds);
  const double fraction = std::isfinite(unix_seconds) ? unix_seconds - std::floor(unix_seconds) : 0;
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", t.tm_year + 1900, t.tm_mon + 1,
                     t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec,
                     static_cast<int>(std::floor(fraction * 1000)));
}

}  // namespace nz::alerts
