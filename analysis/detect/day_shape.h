// What a series does by time of day, learned as it passes: one shape for working days and one for
// weekends (UTC). 420 bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace nz::analysis::detect {

class DayShape {
 public:
  /// One value's difference from the level of the last days, at `at` Unix seconds. Seconds that do
  /// not pass (a series counted by index) never complete a day, and no shape comes of them.
  /// Whether that completed the first day, after which the level may be centred.
  bool learn(double at, float difference);

  /// Makes 0 the mean of what is known, and returns what it was: to be added to the level. Before
  /// the first day is complete no level of days is known, and hours must not be taken for one.
  float centre();

  /// Usual difference from the level at that time; 0 until two days of that kind are known, and as
  /// far as days do not repeat.
  [[nodiscard]] float at(double at) const;

  /// How far the shape steps around that time, within half an hour: the place of a step that each
  /// day has is not known better than that. `slow`: looked at over hours, where the beginning and
  /// the end of a weekend may be a change that is as yet unknown.
  [[nodiscard]] float edge(double at, bool slow) const;

  /// Two days of that kind were seen.
  [[nodiscard]] bool known(double at) const { return visits_[place(at).kind] >= 2 * kBins; }

  /// How far the level may bend within `seconds` for reasons of the day that were not taken out:
  /// half of it in half a day as long as days are not known, half of a working day's shape on
  /// the first weekend, later what remained of it. `noise`: variance of a mean of half an hour.
  [[nodiscard]] float bend(double at, double seconds, float noise) const;
  static constexpr double kBinSeconds = 1800;

  /// The time of day in one byte, to be kept with a value ...
  [[nodiscard]] static std::uint8_t mark(double at);
  /// ... and the time that it stands for: the one nearest `about` within three minutes of that time
  /// of some day. As good as `about` where that is right, and never further off.
  [[nodiscard]] static double time_of(std::uint8_t mark, double about);

 private:
  static constexpr std::size_t kBins = 48;
  static constexpr double kDay = 86400;

  struct Place {
    std::size_t kind, bin;
    float part;  // of the way to the next bin's middle
  };
  static Place place(double at);
  // The kind whose shape stands for that one: working days for a weekend that is not known yet.
  [[nodiscard]] std::size_t shape_for(std::size_t kind) const;
  [[nodiscard]] float trust(std::size_t kind) const;
  [[nodiscard]] std::size_t again(std::size_t kind) const;
  bool close_bin();

  std::array<std::array<float, kBins>, 2> shape_{};
  std::array<std::uint16_t, 2> visits_{};  // bins that were passed
  std::uint32_t seen_ = 0;                 // values in the open bin
  float sum_ = 0;
  std::uint8_t kind_ = 0, bin_ = 0;
  // Mean squares of bins' means with the shape taken out, and as they are.
  float with_ = 0, without_ = 0;
};

}  // namespace nz::analysis::detect
