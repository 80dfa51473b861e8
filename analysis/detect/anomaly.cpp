#include "analysis/detect/anomaly.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "analysis/robust.h"

namespace nz::analysis {
namespace {

constexpr float kOneAMonth = 3.5F;  // total surprise that noise shows once in 259,200 values
// Weights of the answers, 1 together; chosen on public series (docs/detection.md).
constexpr float kWeight = 0.08F, kQuietWeight = 0.024F, kNoveltyWeight = 0.16F, kRunWeight = 0.096F;
constexpr float kMostError = 60;  // squared, in usual ones: one wild value is not eight
constexpr float kEnergyMemory = 32, kSmoothMemory = 64;
constexpr float kMedianOfNormal = 0.6745F;
constexpr float kLeastSpread = 1e-3F;
constexpr float kLeastMedian = 1e-4F;
constexpr float kFarthest = 1e4F;  // what is farther away is as unusual as this
constexpr float kLeastRepeats = 0.03F, kMostRepeats = 0.999F, kRateOfRuns = 0.005F;
constexpr float kMostOfRun = 12;
constexpr std::uint32_t kSettled = 50;  // values after which usual sizes are known
constexpr float kLongRun = 1.0F / 8'000;
constexpr float kMostFar = 8;
constexpr float kMostQuiet = 1000;
constexpr double kMostFirst = 1e38;     // what a float holds
constexpr double kLeastOfFirst = 1e-6;  // of a number, of which a float still has a digit

// Moves the median of |values| towards one more of them, by a share of itself.
void follow(float& median, float value, float share) {
  if (median <= 0) median = value;
  median *= value > median ? 1 + share : 1 - share;
  // Standing still for long must not take as long to unlearn.
  median = std::max(median, kLeastMedian);
}

}  // namespace

double AnomalyDetector::score(double at, double value) {
  if (std::isnan(value)) return 0;
  if (std::isinf(value)) return seen_ >= kWarmUp ? 1 : 0;
  const bool same = seen_ > 0 && value == newest_;
  if (seen_ < kWarmUp) {
    // Beside a wild origin the differences would hold nothing of the values.
    const double size = std::abs(value);
    if (seen_ == 0 || (size > 0 && size < kLeastOfFirst * std::abs(origin_))) move_origin(value);
    first_[seen_] = less_origin(value);
    newest_ = value;
    if (++seen_ == kWarmUp) warm_up();
    return 0;
  }
  seen_++;
  newest_ = value;
  const float run = surprise_of_run(same);
  const float other = judge(at, scale_.forward(value));
  const float total = std::cbrt(other + kRunWeight * run * run * run);
  return 1 - std::pow(0.01, static_cast<double>(total / kOneAMonth));
}

double AnomalyDetector::expected() const {
  if (seen_ < kWarmUp) return std::numeric_limits<double>::quiet_NaN();
  return scale_.backward(origin_ + unit_ * static_cast<double>(expected_));
}

float AnomalyDetector::less_origin(double value) const {
  return static_cast<float>(std::clamp(value - origin_, -kMostFirst, kMostFirst));
}

void AnomalyDetector::move_origin(double to) {
  const double from = origin_;
  origin_ = to;
  for (std::size_t i = 0; i < seen_; i++)
    first_[i] = less_origin(from + static_cast<double>(first_[i]));
}

void AnomalyDetector::warm_up() {
  std::vector<double> values(kWarmUp), off(kWarmUp);
  for (std::size_t i = 0; i < kWarmUp; i++) values[i] = origin_ + static_cast<double>(first_[i]);
  scale_ = detect::Stabiliser::of(values);
  for (double& v : values) v = scale_.forward(v);
  std::vector<double> sorted = values;
  origin_ = robust::median_in_place(sorted);
  for (std::size_t i = 0; i < kWarmUp; i++) off[i] = values[i] - origin_;
  unit_ = robust::sigma_about_zero(off);
  // A series that begins still: a hundredth of the stabilised unit is a movement.
  if (!(unit_ > 0) || std::isinf(unit_)) unit_ = 0.01;
  float same = 1;
  for (std::size_t i = 1; i < kWarmUp; i++) same += first_[i] == first_[i - 1] ? 1 : 0;
  repeats_ = repeats_again_ = same / (kWarmUp + 1);
  for (const double v : values) judge(std::numeric_limits<double>::quiet_NaN(), v);
}

// The weighted mean of the surprises' third powers.
float AnomalyDetector::judge(double at, double stabilised) {
  const auto z =
      static_cast<float>(std::clamp((stabilised - origin_) / unit_, -static_cast<double>(kFarthest),
                                    static_cast<double>(kFarthest)));
  const bool timed = std::isfinite(at);
  const float usual = timed ? day_.at(at) : 0;
  expected_ = predictor_.expected();
  const float off_expected = std::abs(z - expected_);
  const float error = off_expected / std::max(error_ / kMedianOfNormal, kLeastSpread);
  energy_ += (std::min(error * error, kMostError) - energy_) / kEnergyMemory;
  const float off = z - level_ - usual;
  const float distance = std::abs(off) / spread_;
  smooth_ += (std::clamp(off, -8 * spread_, 8 * spread_) - smooth_) / kSmoothMemory;
  activity_ += (std::abs(z - before_) - activity_) / kSmoothMemory;
  const float quiet = std::min(kMostQuiet, usual_activity_ / std::max(activity_, kLeastMedian));

  float sum = 0;
  const auto ask = [&](detect::Tail& tail, float statistic, float weight) {
    const float surprise = tail.surprise(statistic);
    sum += weight * surprise * surprise * surprise;
    if (seen_ > kSettled) tail.learn(statistic);
  };
  ask(error_tail_, error, kWeight);
  ask(energy_tail_, energy_, kWeight);
  ask(off_tail_, distance, kWeight);
  ask(smooth_tail_, std::abs(smooth_) / spread_, kWeight);
  ask(quiet_tail_, quiet, kQuietWeight);
  // The long run: what is far from all that was seen, whatever the last hours were like.
  const float deviation = std::sqrt(std::max(run_square_, kLeastSpread * kLeastSpread));
  ask(far_tail_, std::abs(z - run_mean_) / deviation, kWeight);
  const float run_rate = std::max(1 / static_cast<float>(seen_ + 1), kLongRun);
  const float from_mean = std::clamp(z - run_mean_, -kMostFar * deviation, kMostFar * deviation);
  run_mean_ += run_rate * from_mean;
  run_square_ += run_rate * (from_mean * from_mean - run_square_);
  for (detect::Novelty& n : novelty_) {
    const float surprise = n.surprise(z, spread_);
    sum += kNoveltyWeight * surprise * surprise * surprise;
  }

  predictor_.learn(z, std::max(error_ / kMedianOfNormal, kLeastSpread));
  const float share = std::max(0.01F, 1 / (2 + 0.2F * static_cast<float>(seen_)));
  follow(error_, off_expected, share);
  follow(usual_activity_, activity_, share / 2);
  follow_level(off);
  if (timed) day_.learn(at, std::clamp(z - level_, -8 * spread_, 8 * spread_));
  before_ = z;
  return sum;
}

// The level goes to its median by small steps, which grow while all values lie on one side; the
// spread is that around it.
void AnomalyDetector::follow_level(float off) {
  const bool above = off > 0;
  side_ = above == above_ ? static_cast<std::uint16_t>(std::min(side_ + 1, 1000)) : 0;
  above_ = above;
  const float base = std::max(0.01F, 1 / (2 + 0.2F * static_cast<float>(seen_)));
  const float speed = base * spread_ * (1 + static_cast<float>(side_) / 50);
  level_ += above ? speed : -speed;
  float median = spread_ * kMedianOfNormal;
  follow(median, std::abs(off), std::max(0.004F, base / 2));
  spread_ = std::max(kLeastSpread, median / kMedianOfNormal);
}

// -log10 of the chance that a value repeats so often in a row: that it begins to, then goes on.
float AnomalyDetector::surprise_of_run(bool same) {
  const float rate = 1 / std::min(static_cast<float>(seen_), 2000.0F);
  const float once = same ? 1.0F : 0.0F;
  const float begins = std::clamp(repeats_, kLeastRepeats, kMostRepeats);
  const float goes_on = std::clamp(repeats_again_, kLeastRepeats, kMostRepeats);
  if (run_ > 0) {
    repeats_again_ += (once - repeats_again_) * std::max(rate, kRateOfRuns);
  } else {
    repeats_ += (once - repeats_) * rate;
  }
  run_ = same ? static_cast<std::uint16_t>(std::min(run_ + 1, 1000)) : 0;
  if (run_ == 0) return 0;
  const float surprise = -std::log10(begins) - static_cast<float>(run_ - 1) * std::log10(goes_on);
  return std::min(kMostOfRun, surprise);
}

}  // namespace nz::analysis
