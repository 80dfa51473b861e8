// How good detection is on labelled series: counts, delays and areas under curves.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "tests/detection/generator.h"

namespace nz::test {

/// Of the series of one row of a table.
struct Tally {
  std::size_t series = 0;
  std::size_t steps = 0, hits = 0;  ///< true steps; those that were told
  std::size_t false_alarms = 0;     ///< told, and not the step, or told again
  double months = 0;                ///< of 28 days, of all series
  std::vector<double> errors;       ///< of hits: seconds from the true place
  std::vector<double> delays;       ///< of hits: seconds from the step until it was told

  void add(const Tally& other);
  [[nodiscard]] double recall() const;     ///< NaN without steps
  [[nodiscard]] double precision() const;  ///< NaN where nothing was told
  [[nodiscard]] double f1() const;         ///< NaN without steps
  [[nodiscard]] double false_per_month() const;
};
double median_of(std::vector<double> values);

/// One told step: where it is said to be, and when it was told (in points).
struct Told {
  std::size_t index = 0, when = 0;
};
/// What a series' told steps count. A hit is the first one within `tolerance` points of the true
/// step that was not told before it; everything else is a false alarm.
Tally count(const LabelledSeries& series, const std::vector<Told>& told, std::size_t tolerance);

using Method = std::function<std::vector<Told>(const LabelledSeries&)>;
std::vector<Told> told_offline(const LabelledSeries& series);  ///< change_points()
std::vector<Told> told_online(const LabelledSeries& series);   ///< StepDetector
std::vector<Told> told_by_e_divisive(const LabelledSeries& series, double p);
/// E-divisive on hourly medians, as one would use it on a long series; indices are those of points.
std::vector<Told> told_by_hourly_e_divisive(const LabelledSeries& series, double p);
/// E-divisive run anew each `every` points on the last 200, from `from` on for a day: told when it
/// first has a change point within 30 points of `from`. Nothing where there is no step.
std::vector<Told> told_by_e_divisive_online(const LabelledSeries& series, double p,
                                            std::size_t every, std::size_t from);
/// The same all the time, as an agent would: each change point that is not within 30 points of one
/// that was told before.
std::vector<Told> told_by_e_divisive_always(const LabelledSeries& series, double p,
                                            std::size_t every);

/// Areas for a score per point and labels 0 and 1.
double area_under_roc(std::span<const double> score, std::span<const int> label);
double average_precision(std::span<const double> score, std::span<const int> label);
/// Volume under the precision-recall surface (Paparrizos et al., PVLDB 2022) without its existence
/// term: the mean average precision over labels widened by 0 to `reach` points on both sides.
double volume_under_pr(std::span<const double> score, std::span<const int> label,
                       std::size_t reach);

}  // namespace nz::test
