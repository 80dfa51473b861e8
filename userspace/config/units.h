// Durations ("250ms", "1s", "2m") and shares ("1%") as people write them.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace nz::config {

/// A number with a unit: ms, s, m, h or d. Fractions below a millisecond are rounded to the
/// nearest.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

/// The shortest form that parse_duration() reads back: "1s", "1500ms", "2m", "30d".
std::string format_duration(std::chrono::milliseconds duration);

/// "1%" is 0.01. Nothing without a percent sign.
std::optional<double> parse_percent(std::string_view text);

}  // namespace nz::config
