// Points in time and durations as people and programs write them in a query.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace nz::rest {

/// "90", "90s", "500ms", "15m", "1.5h", "7d" in seconds; nothing for anything else, for a sign and
/// for what is not finite.
std::optional<double> parse_seconds(std::string_view text);

/// Unix seconds of "now", "-15m" (before `now`), "1700000000.5", or RFC 3339:
/// "2026-11-27T09:00:00Z", "2026-11-27T10:00:00.5+01:00" (a '+' that came as a space too).
std::optional<double> parse_time(std::string_view text, double now);

/// RFC 3339 in UTC with milliseconds.
std::string format_time(double unix_seconds);

}  // namespace nz::rest
