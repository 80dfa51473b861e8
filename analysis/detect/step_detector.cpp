#include "analysis/detect/step_detector.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "analysis/robust.h"

namespace nz::analysis {
namespace {

constexpr float kLeastVariance = 1e-5F;    // 0.3 %: a series that stands still may move so far
constexpr float kClip = 5;                 // local standard deviations
constexpr std::uint16_t kEnoughSeen = 12;  // differences that a scale's noise is known from
// ... and those it is remembered from; the longest means come rarely.
constexpr std::uint16_t kMemory = 400, kMemoryOfLong = 100;
constexpr float kLevelSeconds = 7 * 86400, kHour = 3600;
// Energy of a step that a straight line does not explain, and that a day that is not known may not.
constexpr float kLeastBesideLine = 4, kLeastBesideDay = 16;
// A level is even: its variance is so many times that of the noise at most, or its standard
// deviation such a part of the way to it. Far away, noise of another size is a level too.
constexpr float kMostSpread = 4, kEven = 0.1F;
constexpr std::size_t kSettle = 60;    // points in which a step may go on ...
constexpr float kMostFurther = 3;      // ... by so many times its size
constexpr std::size_t kLeastLeft = 8;  // blocks of the old level
// Outliers near each other move means; points tell: as many at least, of the old level, ...
constexpr std::size_t kLeastOldPoints = 12;
// ... three of four of the new level lie beyond three of four of the old one, and its median is
// farther by such a part of the step.
constexpr float kQuarter = 0.25F, kMedianMoves = 0.6F;
constexpr std::size_t kMostRight = 24;  // blocks of the new one: then the next scale sees it
constexpr float kPlaceDrop = 7.35F;     // see Stretches::place
// Tests that a month of 10 s points amounts to.
constexpr double kTestsPerMonth = 1e6;
// What a scale's noise is held for, times that of the scale below, until it was measured: an AR(1)
// of 0.6 and a little more. More than from the scale below that one to it, where a day is in it.
constexpr std::array<float, 6> kUnknown = {1, 2.3F, 1.8F, 1.5F, 1.5F, 1.3F};
constexpr float kUnknownGrowth = 1.3F;

constexpr unsigned kNewest = 0x1FF;  // nine values, as in recent_

std::size_t points_of(std::size_t scale) { return std::size_t{1} << (2 * scale); }

}  // namespace

double StepDetector::value_of(float level) const {
  return scale_.backward(origin_ + static_cast<double>(level));
}

std::optional<ChangePoint> StepDetector::add(double at, double value) {
  calls_++;
  if (!std::isfinite(value)) return std::nullopt;
  // No measure of anything, and as the first value it would leave the others no digits.
  if (points_ < kWarmUp && std::abs(value) > std::numeric_limits<float>::max()) return std::nullopt;
  not_zero_ = static_cast<std::uint16_t>((not_zero_ << 1U | (value != 0 ? 1U : 0U)) & kNewest);
  const double passed = at - last_at_;
  if (points_ > 0 && passed > 0) {
    const auto seconds = static_cast<float>(passed);
    // A gap is not how far points are apart.
    if (spacing_ <= 0) spacing_ = seconds;
    spacing_ += (std::min(seconds, 3 * spacing_) - spacing_) / 32;
  }
  last_at_ = at;
  points_++;
  if (points_ <= kWarmUp) {
    warm_up(value);
    return std::nullopt;
  }
  const auto y = static_cast<float>(scale_.forward(value) - origin_);
  if (!unit_is_sure_ && is_too_coarse(y)) {
    begin_anew();
    warm_up(value);
    return std::nullopt;
  }
  const float clean = cleaned(y);
  learn_level(at, clean);
  if (day_.learn(at, clean - level_)) level_ += day_.centre();

  std::optional<ChangePoint> told;
  float mean = clean;
  for (std::size_t s = 0; s < kScales; s++) {
    if (!push(s, mean, at)) break;
    mean = scales_[s].mean[scales_[s].newest];
    const Found found = scan(s, at);
    if (found.right == 0) continue;
    told = judge(s, found, at);
    if (told) break;
  }
  return told;
}

// The few points that told a step do not know the new level well, and what they err by would be
// left in the shape of the day: for an hour the level is that of all points since. Then it goes
// slowly after what the shape does not explain; a mean of some hours is none of days.
void StepDetector::learn_level(double at, float clean) {
  const auto since = static_cast<float>(calls_ - told_index_);
  const float of_any_hour = clean - day_.at(at);
  if (told_index_ > 0 && since * spacing_ < kHour) {
    const float moved = (of_any_hour - told_after_) / since;
    told_after_ += moved;
    level_ += moved;
  } else if (day_.known(at)) {
    level_ += std::min(1.0F, spacing_ / kLevelSeconds) * (of_any_hour - level_);
  }
}

void StepDetector::warm_up(double value) {
  if (points_ == 1) origin_ = value;
  scales_[0].mean[points_ - 1] = static_cast<float>(value - origin_);
  if (points_ < kWarmUp) return;
  std::vector<double> values(kWarmUp), steps;
  for (std::size_t i = 0; i < kWarmUp; i++) {
    values[i] = origin_ + static_cast<double>(scales_[0].mean[i]);
  }
  scale_ = detect::Stabiliser::of(values);
  for (double& v : values) v = scale_.forward(v);
  for (std::size_t i = 1; i < kWarmUp; i++)
    steps.push_back((values[i] - values[i - 1]) / std::sqrt(2.0));
  std::vector<double> sorted = values;
  origin_ = robust::median_in_place(sorted);
  Scale& first = scales_[0];
  const auto sigma = static_cast<float>(robust::sigma_about_zero(steps));
  first.variance = std::max(kLeastVariance, sigma * sigma);
  first.seen = kWarmUp;
  for (std::size_t i = 0; i < kWarmUp; i++) {
    const auto y = static_cast<float>(values[i] - origin_);
    first.mean[i] = std::clamp(y, -2 * kClip * sigma, 2 * kClip * sigma);
    recent_[i % recent_.size()] = y;
  }
  first.count = kWarmUp;
  first.newest = kWarmUp - 1;
}

// Whether five of the newest nine values are something, and yet lie within what a series that
// stands still may move: no step of such a level would be told. One that is not so small, once,
// says that the unit is right; from then on a level that falls that low is a step.
bool StepDetector::is_too_coarse(float newest) {
  recent_[points_ % recent_.size()] = newest;
  std::array<float, 9> size{};
  std::transform(recent_.begin(), recent_.end(), size.begin(),
                 [&](float y) { return std::abs(y + static_cast<float>(origin_)); });
  std::nth_element(size.begin(), size.begin() + 4, size.end());
  unit_is_sure_ = size[4] >= std::sqrt(kLeastVariance);
  return !unit_is_sure_ && std::popcount(not_zero_) > 4;
}

// With the newest value as the first one.
void StepDetector::begin_anew() {
  StepDetector fresh(options_);
  fresh.calls_ = calls_;
  fresh.last_at_ = last_at_;
  fresh.since_ = since_;
  fresh.spacing_ = spacing_;
  fresh.not_zero_ = not_zero_;
  fresh.points_ = 1;
  *this = fresh;
}

// A value that is far from the median of the last nine and from the calm before them counts as that
// median. When five of nine agree, they were a level, and take their place; the farther it is, the
// less they have to agree.
float StepDetector::cleaned(float value) {
  recent_[points_ % recent_.size()] = value;
  std::array<float, 9> sorted = recent_;
  std::nth_element(sorted.begin(), sorted.begin() + 4, sorted.end());
  const float reach = kClip * std::sqrt(scales_[0].variance);
  const float from_calm = value - calm_;
  calm_ += std::clamp(from_calm, -reach, reach) / 16;
  if (std::abs(from_calm) <= reach) return value;
  const float agree = std::max(reach, kEven * std::abs(sorted[4] - calm_));
  if (std::abs(value - sorted[4]) > agree) return sorted[4];
  Scale& ring = scales_[0];
  const std::size_t known = std::min<std::size_t>(recent_.size() - 1, ring.count);
  for (std::size_t i = 1; i <= known; i++) {
    const float before = recent_[(points_ - i) % recent_.size()];
    if (std::abs(before - sorted[4]) <= agree)
      ring.mean[(ring.newest + kRing + 1 - i) % kRing] = before;
  }
  return value;
}

// Adds a mean of the scale below; true where a block of this scale is complete.
bool StepDetector::push(std::size_t scale, float mean, double at) {
  Scale& s = scales_[scale];
  if (scale > 0) {
    s.sum += mean;
    if (++s.filled < kFactor) return false;
    mean = s.sum / static_cast<float>(kFactor);
    s.sum = 0;
    s.filled = 0;
  }
  s.newest = static_cast<std::uint8_t>((s.newest + 1U) % kRing);
  s.mean[s.newest] = mean;
  if (scale > 0) marks_[scale - 1][s.newest] = detect::DayShape::mark(at - age_of(scale, 0));
  if (s.count < kRing) s.count++;
  learn_noise(scale, at);
  return true;
}

// Seconds since the middle of the block `back` before the newest, if no point was missing since.
double StepDetector::age_of(std::size_t scale, std::size_t back) const {
  const double points = (static_cast<double>(back) + 0.5) * static_cast<double>(points_of(scale));
  return points * static_cast<double>(spacing_);
}

// When that middle was. An hour that is missing would lead to the wrong hour of the day's shape for
// a day, and that is a step where the shape is steep.
double StepDetector::time_of(std::size_t scale, std::size_t back, double at) const {
  const double about = at - age_of(scale, back);
  if (scale == 0) return about;
  const std::size_t block = (scales_[scale].newest + kRing - back) % kRing;
  return detect::DayShape::time_of(marks_[scale - 1][block], about);
}

// Block `back` before the newest, with the day's shape taken out.
float StepDetector::mean_at(std::size_t scale, std::size_t back, double at) const {
  const Scale& s = scales_[scale];
  const float mean = s.mean[(s.newest + kRing - back) % kRing];
  if (scale == 0) return mean;  // a day does not move in minutes
  return mean - day_.at(time_of(scale, back, at));
}

void StepDetector::learn_noise(std::size_t scale, double at) {
  Scale& s = scales_[scale];
  if (s.count < 2) return;
  const float step = mean_at(scale, 0, at) - mean_at(scale, 1, at);
  const float seen = step * step * static_cast<float>(points_of(scale)) / 2;
  const float most = s.seen < kEnoughSeen ? seen : 9 * s.variance;
  s.seen = static_cast<std::uint16_t>(
      std::min<int>(s.seen + 1, scale + 2 < kScales ? kMemory : kMemoryOfLong));
  s.variance += (std::min(seen, most) - s.variance) / static_cast<float>(s.seen);
  s.variance = std::max(s.variance, kLeastVariance);
}

// Variance of a mean of 4^k points times the points, for k from 0 to kScales.
std::array<float, StepDetector::kScales + 1> StepDetector::noise_by_scale(bool day_known) const {
  std::array<float, kScales + 1> noise{};
  noise[0] = scales_[0].variance;
  for (std::size_t k = 1; k <= kScales; k++) {
    const bool known = k < kScales && scales_[k].seen >= kEnoughSeen;
    if (known) {
      const float sure = 1 - 1 / std::sqrt(static_cast<float>(scales_[k].seen));
      noise[k] = std::max(noise[k - 1], scales_[k].variance * sure);
    } else {
      const bool grows = k > 2 && !day_known;
      const float grew = grows ? kUnknownGrowth * noise[k - 1] / noise[k - 2] : 1;
      noise[k] = noise[k - 1] * std::max(kUnknown[k], grew);
    }
  }
  return noise;
}

StepDetector::Found StepDetector::scan(std::size_t scale, double at) const {
  const Scale& ring = scales_[scale];
  const std::size_t n = ring.count;
  // Fewer blocks are what the finer scale sees.
  const std::size_t least_right = scale == 0 ? options_.least : kFactor;
  const std::size_t least_left =
      scale == 0 ? std::max<std::size_t>(12, options_.least) : kLeastLeft;
  Found found;
  if (n < least_left + least_right) return found;

  std::array<float, kRing> y{};
  std::array<float, kRing + 1> sum{};
  float timed = 0;
  for (std::size_t i = 0; i < n; i++) {
    y[i] = mean_at(scale, n - 1 - i, at);
    sum[i + 1] = sum[i] + y[i];
    timed += static_cast<float>(i) * y[i];
  }
  const std::array<float, kScales + 1> noise = noise_by_scale(day_.known(at));
  const auto block = static_cast<float>(points_of(scale));
  const auto noise_of = [&](std::size_t blocks) {  // of a block's mean, seen over so many
    const float steps = std::log2(static_cast<float>(blocks)) / 2;
    const std::size_t low = std::min(kScales, scale + static_cast<std::size_t>(steps));
    const std::size_t high = std::min(kScales, low + 1);
    const float part = steps - std::floor(steps);
    return (noise[low] + part * (noise[high] - noise[low])) / block;
  };
  const auto total = static_cast<float>(n);
  const float tt = total * (total * total - 1) / 12;
  const float ty = timed - (total - 1) / 2 * sum[n];
  const float energy_of_line = ty * ty / (tt * noise_of(n / 2));

  std::array<float, kRing> energy{};
  const std::size_t most_right = n - least_left;
  const auto step_of = [&](std::size_t right) {
    const std::size_t left = n - right;
    return (sum[n] - sum[left]) / static_cast<float>(right) - sum[left] / static_cast<float>(left);
  };
  for (std::size_t right = least_right; right <= most_right; right++) {
    const std::size_t left = n - right;
    const float step = step_of(right);
    const float variance = noise_of(std::min(left, right)) *
                           (1 / static_cast<float>(left) + 1 / static_cast<float>(right));
    energy[right] = step * step / variance;
    if (energy[right] > found.energy) {
      found.energy = energy[right];
      found.right = right;
    }
  }
  const float least = std::min(options_.threshold, options_.back_threshold);
  if (found.energy < least * least) return {};
  // An older one, which the next scale sees or which was judged when it was nearer: told from here,
  // it would have a wrong place, away from the edge of a weekend for instance.
  if (found.right > kMostRight) return {};
  const std::size_t right = found.right, left = n - right;
  const float step = step_of(right);
  const float hh = static_cast<float>(left * right) / total;
  const float ht = static_cast<float>(left * right) / 2;
  const float free = hh - ht * ht / tt;
  const float jump = hh * step - ht * ty / tt;
  const float beside =
      free > 0.01F * hh ? jump * jump / (free * noise_of(std::min(left, right))) : 0;
  if (energy_of_line > found.energy) found.energy = beside;
  // In hours a level drifts; in minutes it does not.
  if (scale >= 2 && beside < (day_.known(at) ? kLeastBesideLine : kLeastBesideDay)) return {};
  const double place = (time_of(scale, right - 1, at) + time_of(scale, right, at)) / 2;
  const float edge = day_.edge(place, scale > 0);
  // A step of the day itself may come a little early or late.
  const double span = static_cast<double>(n) / 2 * static_cast<double>(block * spacing_);
  const float half_hour =
      noise[kScales - 2] * spacing_ / static_cast<float>(detect::DayShape::kBinSeconds);
  const float bend = day_.bend(at, span, half_hour);
  found.energy /= 1 + (edge * edge + bend * bend) / (step * step) * found.energy;
  // What is known of the noise comes from these points.
  found.energy *= 1 - kWarmUp / 2.0F / static_cast<float>(points_);
  if (found.energy < least * least) return {};

  found.before = sum[left] / static_cast<float>(left);
  found.after = found.before + step;
  const float middle = (found.before + found.after) / 2;
  std::size_t beyond = 0;
  for (std::size_t i = left; i < n; i++) beyond += (y[i] - middle) * step > 0 ? 1 : 0;
  const float share = scale == 0 ? 0.8F : 0.6F;
  if (scale == 0) {
    // Some wild values near each other are no level: they differ among themselves.
    float newer = 0, older = 0;
    for (std::size_t i = 0; i < n; i++) {
      const float off = y[i] - (i < left ? found.before : found.after);
      (i < left ? older : newer) += off * off;
    }
    const float most = std::max(kMostSpread * noise[0], kEven * kEven * step * step);
    if (newer > most * static_cast<float>(right) || older > most * static_cast<float>(left))
      return {};
  }
  if (scale <= 1 && !points_agree(right * points_of(scale), step)) return {};
  const bool last = (y[n - 1] - middle) * step > 0 && (scale > 0 || (y[n - 2] - middle) * step > 0);
  if (!last || static_cast<float>(beyond) < share * static_cast<float>(right)) return {};

  found.earliest = found.latest = right;
  while (found.earliest + 1 <= most_right &&
         energy[found.earliest + 1] >= energy[right] - kPlaceDrop) {
    found.earliest++;
  }
  while (found.latest > least_right && energy[found.latest - 1] >= energy[right] - kPlaceDrop) {
    found.latest--;
  }
  return found;
}

// Whether the newest points, by themselves, lie where a step of that size leads. Not asked where
// the finest ring does not reach back to before the step.
bool StepDetector::points_agree(std::size_t newer, float step) const {
  const Scale& ring = scales_[0];
  if (newer + kLeastOldPoints > ring.count) return true;
  const float sign = step > 0 ? 1.0F : -1.0F;
  std::array<float, kRing> up{};  // newest first, turned so that the step goes up
  for (std::size_t i = 0; i < ring.count; i++)
    up[i] = sign * ring.mean[(ring.newest + kRing - i) % kRing];
  const auto split = up.begin() + static_cast<std::ptrdiff_t>(newer);
  const auto end = up.begin() + ring.count;
  const auto quantile = [](auto from, auto to, float q) {
    const auto at = from + static_cast<std::ptrdiff_t>(static_cast<float>(to - from) * q);
    std::nth_element(from, at, to);
    return *at;
  };
  if (quantile(up.begin(), split, kQuarter) < quantile(split, end, 1 - kQuarter)) return false;
  const float moved = quantile(up.begin(), split, 0.5F) - quantile(split, end, 0.5F);
  return moved > kMedianMoves * sign * step;
}

// Points since the step, looked up in the finer rings as far as they reach back.
std::size_t StepDetector::points_since(std::size_t scale, std::size_t right) const {
  while (scale > 0) {
    const Scale& finer = scales_[scale - 1];
    const std::size_t n = finer.count, middle = right * kFactor;
    if (middle + 2 * kFactor > n) break;
    float all = 0, most = -1, part = 0;
    const std::size_t reach = std::min(n, middle + 4 * kFactor);
    for (std::size_t back = 0; back < reach; back++) all += mean_at(scale - 1, back, last_at_);
    std::size_t best = middle;
    for (std::size_t k = 1; k < reach; k++) {
      part += mean_at(scale - 1, k - 1, last_at_);
      if (k + kFactor < middle || k > middle + kFactor) continue;
      const auto newer = static_cast<float>(k), older = static_cast<float>(reach - k);
      const float step = part / newer - (all - part) / older;
      const float gain = step * step * newer * older;
      if (gain > most) {
        most = gain;
        best = k;
      }
    }
    right = best;
    scale--;
  }
  return right * points_of(scale);
}

std::optional<ChangePoint> StepDetector::judge(std::size_t scale, const Found& found, double at) {
  // Of the finest means the day is not taken out; levels of different hours are compared.
  const float usual = scale == 0 ? day_.at(at) : 0;
  const bool back = lasts_ && std::abs(found.after - usual - told_before_) <
                                  0.35F * std::abs(told_after_ - told_before_);
  const float threshold = back ? options_.back_threshold : options_.threshold;
  if (found.energy < threshold * threshold) return std::nullopt;
  // What was clipped when it came is the new level after all.
  float after = found.after;
  if (scale == 0 && found.right <= recent_.size()) after = unclip(found.right);
  const float step = after - found.before;
  ChangePoint c;
  c.before = value_of(found.before);
  c.after = value_of(after);
  c.size = c.before != 0 ? c.after / c.before - 1 : std::numeric_limits<double>::quiet_NaN();
  if (std::abs(c.size) < static_cast<double>(options_.least_size)) return std::nullopt;

  const std::size_t age = points_since(scale, found.right);
  const auto index_of = [&](std::size_t points) {
    return calls_ - std::min<std::uint64_t>(calls_, points);
  };
  c.index = index_of(age);
  c.earliest =
      std::min(c.index, static_cast<std::size_t>(index_of(found.earliest * points_of(scale))));
  c.latest = std::max(c.index, static_cast<std::size_t>(index_of(found.latest * points_of(scale))));
  const double z = std::sqrt(static_cast<double>(found.energy));
  c.confidence = std::max(0.0, 1 - kTestsPerMonth * robust::two_sided_p(z));
  c.back = back;

  level_ += after - found.before;
  forget_before(age);
  const float first = told_after_ - told_before_;
  const bool goes_on = lasts_ && !back && c.index < told_index_ + kSettle && step * first > 0 &&
                       std::abs(step) <= kMostFurther * std::abs(first);
  told_after_ = after - usual;
  if (goes_on) return std::nullopt;
  told_before_ = found.before - usual;
  told_index_ = c.index;
  since_ = at - static_cast<double>(age) * static_cast<double>(spacing_);
  lasts_ = !back;
  return c;
}

// Median of the newest values as they came, which also take their place in the ring again.
float StepDetector::unclip(std::size_t newest) {
  std::array<float, 9> values{};
  Scale& ring = scales_[0];
  for (std::size_t i = 0; i < newest; i++) {
    values[i] = recent_[(points_ - i) % recent_.size()];
    ring.mean[(ring.newest + kRing - i) % kRing] = values[i];
  }
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(newest / 2);
  std::nth_element(values.begin(), middle, values.begin() + static_cast<std::ptrdiff_t>(newest));
  return *middle;
}

// The old level must not be held against the new one twice.
void StepDetector::forget_before(std::size_t age) {
  std::size_t pending = 0;  // points since the newest complete block
  for (std::size_t k = 0; k < kScales; k++) {
    Scale& s = scales_[k];
    if (k > 0) pending += s.filled * points_of(k - 1);
    const std::size_t kept = age > pending ? (age - pending) / points_of(k) : 0;
    s.count = static_cast<std::uint8_t>(std::min<std::size_t>(s.count, kept));
    if (pending > age) {
      s.sum = 0;
      s.filled = 0;
    }
  }
}

}  // namespace nz::analysis
