// How unusual each value of a series is, as it comes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "analysis/detect/day_shape.h"
#include "analysis/detect/novelty.h"
#include "analysis/detect/predictor.h"
#include "analysis/detect/stabilise.h"
#include "analysis/detect/tail.h"

namespace nz::analysis {

/// Streaming, unsupervised score of one series, without lookahead, in 2.5 KB of state and without
/// allocation. Each value is asked several things, and each answer is turned into a surprise,
/// -log10 of its tail probability, by its own past (tail.h):
/// - how far it is from its prediction (predictor.h), alone and over the last 32 values;
/// - how far it is, and how far the last 64 are on average, from the level with the time of day
/// taken
///   out (day_shape.h), and how far from all that was seen in 8,000 values;
/// - whether the series moves much less than usual, or not at all;
/// - whether the shape of the last 24, 96 and 384 values is new (novelty.h).
/// The cubic mean of them is the total surprise t: a large one counts, and so do many.
///
/// score = 1 - 0.01^(t / 3.5): in noise 0.99 is reached about once in 259,200 values, a month of
/// 10 s points (docs/detection.md). Within some hundred values the detector follows a level that
/// stays.
class AnomalyDetector {
 public:
  /// The score of the next value, in [0, 1]; `at`: Unix seconds, or any index. 0 for the first
  /// values and where the value is NaN; an infinite one scores 1 and is not learned.
  double score(double at, double value);

  /// What the newest value was expected to be; NaN before anything is known.
  [[nodiscard]] double expected() const;

 private:
  static constexpr std::size_t kWarmUp = 16;

  [[nodiscard]] float less_origin(double value) const;
  void move_origin(double to);
  void warm_up();
  float judge(double at, double stabilised);
  float surprise_of_run(bool same);
  void follow_level(float off);

  detect::Stabiliser scale_;
  detect::DayShape day_;
  detect::Predictor predictor_;
  std::array<detect::Novelty, 3> novelty_ = {detect::Novelty(1), detect::Novelty(4),
                                             detect::Novelty(16)};
  detect::Tail error_tail_, energy_tail_, off_tail_, smooth_tail_, quiet_tail_, far_tail_;
  std::array<float, kWarmUp> first_{};  // less the origin, one of them
  double origin_ = 0, unit_ = 1;        // stabilised value of 0 and of 1 in what follows
  double newest_ = 0;                   // as it came
  float expected_ = 0, before_ = 0;
  float error_ = 0, energy_ = 1;  // usual error; mean square of the last ones in it
  float level_ = 0, spread_ = 1, smooth_ = 0;
  float run_mean_ = 0, run_square_ = 1;  // of the long run
  float activity_ = 0, usual_activity_ = 0;
  // Chance that a value is the same as the last one, where that was not and where it was a repeat.
  float repeats_ = 0, repeats_again_ = 0;
  std::uint32_t seen_ = 0;
  std::uint16_t run_ = 0, side_ = 0;  // equal values; values on one side of the level
  bool above_ = false;
};

}  // namespace nz::analysis
