// Where the level of a series steps: the search behind change_points().
#pragma once

#include <cstddef>
#include <initializer_list>
#include <span>
#include <utility>
#include <vector>

#include "analysis/detect/noise.h"

namespace nz::analysis::detect {

/// The strongest step between two points of a series.
struct Split {
  std::size_t at = 0;  ///< first point of the new level
  double energy = 0;   ///< its squared size in standard errors; 0: none
  double size = 0;     ///< of the step, in the unit of the series
};

/// Drift that goes on through all steps.
struct Slope {
  double per_point = 0, energy = 0;
};

/// A series with sums that give the mean, the slope and the noise of any stretch at once. 48 bytes a
/// point.
class Stretches {
 public:
  /// `least`: points that a level has to last.
  Stretches(std::span<const double> values, const Noise& noise, std::size_t least);

  /// The strongest step in [from, to). A straight line is the rival explanation: where it explains
  /// more than a step does, only what a step explains beyond the line counts.
  [[nodiscard]] Split strongest(std::size_t from, std::size_t to) const;

  /// Squared size in standard errors of a step at `at` as seen by [from, to), without a rival.
  [[nodiscard]] double energy(std::size_t from, std::size_t at, std::size_t to) const;

  /// The level changes near the split, not all along [from, to): the means of a short stretch on both
  /// sides differ by at least half of its size. Short: an eighth of the shorter side, or as many points
  /// as noise asks for.
  [[nodiscard]] bool sharp(std::size_t from, const Split& split, std::size_t to) const;

  /// First and last place of the step that the series speaks for nearly as well: the set that holds
  /// the true one in about 95 % of cases (likelihood ratio, Yao and Siegmund).
  [[nodiscard]] std::pair<std::size_t, std::size_t> place(std::size_t from, const Split& split,
                                                          std::size_t to) const;

  /// The slope that the levels between `points` have in common, by least squares; energy as for a
  /// step.
  [[nodiscard]] Slope slope(const std::vector<std::size_t>& points) const;

  /// The strongest of `points`, each between its neighbours, `most` of them in order.
  [[nodiscard]] std::vector<std::size_t> strongest_of(std::vector<std::size_t> points,
                                                      std::size_t most) const;

  /// What levels between these points (and the two ends) explain, as energy; only differences between
  /// two ways to divide one stretch mean something.
  [[nodiscard]] double explained(std::initializer_list<std::size_t> bounds) const;

  [[nodiscard]] double mean(std::size_t from, std::size_t to) const;
  [[nodiscard]] std::size_t least() const { return least_; }
  [[nodiscard]] std::size_t size() const { return sum_.size() - 1; }

 private:
  [[nodiscard]] double energy_of_line(std::size_t from, std::size_t to) const;
  [[nodiscard]] Split beside_line(std::size_t from, std::size_t at, std::size_t to) const;
  [[nodiscard]] double slope_sum(std::size_t from, std::size_t to) const;

  const Noise& noise_;
  std::size_t least_;
  std::vector<double> sum_, variance_;  // sums of y and of its noise variance before a point
  // The same of y and t * y, for slopes: of a short stretch late in a long series they are the small
  // difference of large numbers.
  std::vector<long double> exact_, timed_;
};

/// The change points of a series, ascending, whose energy is at least `energy` between their
/// neighbours. Narrowest-over-threshold (Baranowski, Chen and Fryzlewicz, JRSS B 2019) on seeded
/// intervals (Kovacs, Buhlmann, Li and Munk, Biometrika 2023): O(n log n) time, O(n) memory.
std::vector<std::size_t> segment(const Stretches& stretches, std::size_t least, double energy);

}  // namespace nz::analysis::detect
