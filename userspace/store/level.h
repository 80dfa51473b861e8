// The resolutions in which history is kept, and where their blocks begin.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace nz::store {

/// Raw: every 10 s (Options::resolution). Coarser ones are made of the next finer one.
enum class Level : std::uint8_t { raw = 0, minute = 1, hour = 2 };
inline constexpr std::array kLevels{Level::raw, Level::minute, Level::hour};
inline constexpr std::size_t kLevelCount = kLevels.size();

constexpr std::size_t index_of(Level level) { return static_cast<std::size_t>(level); }
constexpr std::string_view name_of(Level level) {
  constexpr std::array<std::string_view, kLevelCount> kNames{"raw", "minute", "hour"};
  return kNames[index_of(level)];
}
constexpr std::optional<Level> coarser(Level level) {
  if (level == Level::hour) return std::nullopt;
  return static_cast<Level>(index_of(level) + 1);
}

/// A stretch of time, Unix milliseconds.
struct Interval {
  std::int64_t from = 0, to = 0;
  bool operator==(const Interval&) const = default;
  [[nodiscard]] constexpr std::int64_t middle() const { return from + (to - from) / 2; }
};

/// Nominal length of an interval of the rollups, ms. (The raw level's is an option.)
constexpr std::int64_t step_ms(Level level) {
  return level == Level::hour ? 3'600'000 : level == Level::minute ? 60'000 : 10'000;
}

/// No interval is longer: the coarsest are kept for so long. One of any level may be longer than
/// its step, even than a block's period, where there was no drain for hours but the clock went on.
inline constexpr std::int64_t kLongestInterval = 400 * std::int64_t{86'400'000};

/// A block holds the intervals of one series that begin in one of these periods: 480 minutes, 240
/// hours, 360 raw intervals (those only from an import: our own go before a block is full).
constexpr std::int64_t block_ms(Level level) {
  return level == Level::hour     ? 240 * std::int64_t{3'600'000}
         : level == Level::minute ? 8 * std::int64_t{3'600'000}
                                  : std::int64_t{3'600'000};
}
constexpr std::int64_t floor_to(std::int64_t length, std::int64_t ms) {
  const std::int64_t floor = ms >= 0 ? ms / length : -((length - 1 - ms) / length);
  return floor * length;
}
constexpr std::int64_t period_of(Level level, std::int64_t ms) {
  return floor_to(block_ms(level), ms);
}
/// Intervals go to their block when a quarter of its period is over. What does not stand in blocks
/// yet is read row by row, with cells of other series: reading a month should meet little of it.
constexpr std::int64_t part_ms(Level level) { return block_ms(level) / 4; }
constexpr std::int64_t part_of(Level level, std::int64_t ms) {
  return floor_to(part_ms(level), ms);
}

}  // namespace nz::store
