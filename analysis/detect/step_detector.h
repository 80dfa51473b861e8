// Tells a lasting step of a series while it happens.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "analysis/detect/change_points.h"
#include "analysis/detect/day_shape.h"
#include "analysis/detect/stabilise.h"

namespace nz::analysis {

struct StepOptions {
  float threshold = 6.3F;       ///< standard errors that a step has to stand out by
  float back_threshold = 5.6F;  ///< the same for a return to the level before the last told step
  float least_size = 0.02F;     ///< |after / before - 1|: less is told nobody
  std::uint16_t least = 8;      ///< points that it has to last: 80 s of 10 s points
};

/// Online change points of one series, in 1.5 KB of state and without allocation.
///
/// Means of 1, 4, 16, 64 and 256 points are kept, 40 of each. Whenever one is complete, the best
/// split of its ring into two levels is looked for, so that a large step is told after `least`
/// points and a small one when enough points have come to see it, up to 10,000 on each side. How
/// much means of each length differ by themselves is learned from the series (noise of any
/// autocorrelation, seasons and drift too slow to be taken out count as noise of that scale); a
/// length that was not seen often enough is judged with care. A shape of the day is learned and
/// taken out (day_shape.h), by the time of day that each mean has kept: points are missing, and
/// come more seldom at night. Where a straight line explains the ring better, there is no step.
/// Wild values are clipped, four of five points of the new level have to lie beyond the middle, and
/// it must not be much noisier than the old one, unless it is far away: a spike is no step.
///
/// A step is told once; one that goes on within 60 points in the same direction is the same,
/// unless it is more than three times as large. The return of the level to what it was before the
/// last told step is told with `back`.
///
/// The scale comes from the first 32 points. Where those were wild, or nothing but zeros, and the
/// level that follows is too small to be told from zero on it, the points from then on are the
/// first ones: what was before is no step, and hides none. It is settled as soon as five of
/// the newest nine points are large enough.
class StepDetector {
 public:
  StepDetector() = default;
  explicit StepDetector(const StepOptions& options) : options_(options) {}

  /// The next value, at Unix seconds that do not go back; NaN and infinite values are missing. The
  /// step that it completes, if any; `index` and its interval count calls of add() from 0.
  std::optional<ChangePoint> add(double at, double value);

  /// Unix seconds of the step that was told last; 0: none was.
  [[nodiscard]] double since() const { return since_; }
  /// The step that was told last has not gone back.
  [[nodiscard]] bool lasts() const { return lasts_; }

 private:
  static constexpr std::size_t kScales = 5, kFactor = 4, kRing = 40, kWarmUp = 32;

  // Means of so many points: 4 to the power of the scale's number.
  struct Scale {
    std::array<float, kRing> mean{};
    float sum = 0;           // of the block being filled
    float variance = 0;      // half the variance of adjacent means' difference, times points
    std::uint16_t seen = 0;  // differences that it comes from
    std::uint8_t filled = 0, newest = 0, count = 0;
  };
  struct Found {
    std::size_t right = 0;  // blocks of the new level
    float energy = 0, before = 0, after = 0;
    std::size_t earliest = 0, latest = 0;  // blocks before now
  };

  void warm_up(double value);
  bool is_too_coarse(float newest);
  void begin_anew();
  float cleaned(float value);
  void learn_level(double at, float clean);
  bool push(std::size_t scale, float mean, double at);
  void learn_noise(std::size_t scale, double at);
  [[nodiscard]] std::array<float, kScales + 1> noise_by_scale(bool day_known) const;
  [[nodiscard]] double age_of(std::size_t scale, std::size_t back) const;
  [[nodiscard]] double time_of(std::size_t scale, std::size_t back, double at) const;
  [[nodiscard]] float mean_at(std::size_t scale, std::size_t back, double at) const;
  [[nodiscard]] bool points_agree(std::size_t newer, float step) const;
  [[nodiscard]] Found scan(std::size_t scale, double at) const;
  [[nodiscard]] std::size_t points_since(std::size_t scale, std::size_t right) const;
  std::optional<ChangePoint> judge(std::size_t scale, const Found& found, double at);
  float unclip(std::size_t newest);
  void forget_before(std::size_t age);
  [[nodiscard]] double value_of(float level) const;

  StepOptions options_;
  std::array<Scale, kScales> scales_{};
  // DayShape::mark() of each mean's middle, of the second scale first: a day does not move in the
  // minutes of the finest.
  std::array<std::array<std::uint8_t, kRing>, kScales - 1> marks_{};
  detect::DayShape day_;
  detect::Stabiliser scale_;
  double origin_ = 0;  // of the warm-up's values; then the stabilised middle
  double last_at_ = 0, since_ = 0;
  float spacing_ = 0;              // seconds between points
  float level_ = 0;                // of the last days
  float calm_ = 0;                 // of the last sixteen points
  std::array<float, 9> recent_{};  // for their median
  std::uint64_t calls_ = 0, told_index_ = 0;
  std::uint32_t points_ = 0;
  float told_before_ = 0, told_after_ = 0;
  bool lasts_ = false;
  bool unit_is_sure_ = false;
  std::uint16_t not_zero_ = 0;  // which of the values in recent_, a bit each
};

}  // namespace nz::analysis
