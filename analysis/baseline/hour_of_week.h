// What is usual for one series at this hour of the week.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/baseline/held_out.h"
#include "analysis/baseline/hour_points.h"

namespace nz::analysis {

/// Which hours an expectation rests on: the same hour of the same weekday, of the same kind of day
/// (working day or weekend), of any day, or all that are known.
enum class Basis { none, all, hour_of_day, kind_of_day, hour_of_week };

struct Expected {
  Basis basis = Basis::none;  ///< none: nothing else is known
  std::size_t hours = 0;      ///< that it rests on
  double median = 0;          ///< in the series' unit
  double low = 0, high = 0;   ///< 99 % of single points lie between
  double spread = 0;          ///< standard deviation of single points, on the scale
  double error = 0;           ///< of the median itself, on the scale
  double sure = 0;            ///< 0..1: how much of it is the series' own week
  Scale scale = Scale::linear;

  /// Standard deviations that a point lies above (or below) what is usual; 0 without a basis.
  [[nodiscard]] double deviations(double value) const;
};

/// The last eight weeks, hour by hour. Expectations are medians over weeks: of eight weeks three
/// may be anything. A slow drift is followed by about four weeks; a step that was told is not
/// followed at all, because its hours are held out, until it is accepted or has lasted
/// `adopt_seconds`. 1,344 hours are 32 KB, so this is for a store (11 KB): between hours a series
/// needs its HourPoints and one Expected alone.
class HourOfWeek {
 public:
  static constexpr int kWeeks = 8;

  struct Options {
    Scale scale = Scale::linear;
    double utc_offset = 0;  ///< seconds east: which hour it is, where the week is lived
    double adopt_seconds = 14 * 86400.0;
  };

  explicit HourOfWeek(const Options& options) : options_(options) {}

  /// One hour, in order of time; one not later than the newest replaces it or is left out. It is
  /// held where it overlaps a range.
  void add(HourSummary hour, std::span<const TimeRange> held_out = {});
  /// What came to light later: hours that were learnt already are held, too.
  void hold_out(std::span<const TimeRange> ranges);
  /// The level since then is the normal one: what was before is forgotten, nothing after is held.
  void accept(double since);
  /// Hours that begin after `at` go: a clock that was set back had invented them.
  void forget_after(double at);

  [[nodiscard]] Expected expected(double at) const;
  [[nodiscard]] std::size_t hours() const { return hours_.size(); }
  [[nodiscard]] std::size_t held() const;

  [[nodiscard]] std::string blob() const;
  /// Nothing for what blob() did not write.
  static std::optional<HourOfWeek> from_blob(std::string_view blob, const Options& options);

 private:
  [[nodiscard]] std::vector<const HourSummary*> same_hour(std::int64_t hour, Basis basis) const;
  [[nodiscard]] double between_weeks() const;
  [[nodiscard]] std::int64_t local(std::int64_t hour) const;
  void adopt_what_lasts();

  Options options_;
  std::vector<HourSummary> hours_;  // ascending
};

}  // namespace nz::analysis
