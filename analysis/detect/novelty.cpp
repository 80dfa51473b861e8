#include "analysis/detect/novelty.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace nz::analysis::detect {
namespace {

constexpr float kSteps = 24;          // of a byte for one spread: 5 spreads fit
constexpr float kNovel = 1.7F;        // surprise: the last two in a hundred
constexpr std::uint8_t kNewRegime = 40;  // so many more novel shapes than known ones: they are usual now
constexpr std::uint16_t kMostUses = 60000;
constexpr std::uint16_t kSlowest = 64;  // uses that a shape is a mean of

// Even over many values without a random generator: its place in the golden-ratio sequence.
float dither(std::uint32_t n) { return static_cast<float>(n * 2654435769U) * 2.3283064e-10F; }

}  // namespace

Novelty::Shape Novelty::newest(float spread) const {
  float mean = 0;
  for (const float v : ring_) mean += v / static_cast<float>(kLength);
  Shape shape{};
  for (std::size_t i = 0; i < kLength; i++) {
    const float off = (ring_[(next_ + i) % kLength] - mean) / spread * kSteps;
    shape[i] = static_cast<std::int8_t>(std::lround(std::clamp(off, -127.0F, 127.0F)));
  }
  return shape;
}

float Novelty::surprise(float value, float spread) {
  sum_ += value;
  if (++filled_ < stride_) return surprise_;
  ring_[next_] = sum_ / static_cast<float>(stride_);
  next_ = static_cast<std::uint8_t>((next_ + 1U) % kLength);
  sum_ = 0;
  filled_ = 0;
  if (++seen_ < kLength) return 0;
  // Means of noise spread less than its values do; a shape of 1/8 of a byte's range is still seen.
  const Shape shape = newest(spread);
  int least = std::numeric_limits<int>::max();
  std::size_t nearest = 0;
  for (std::size_t k = 0; k < known_; k++) {
    int square = 0;
    for (std::size_t i = 0; i < kLength; i++) {
      const int off = shape[i] - shapes_[k][i];
      square += off * off;
    }
    if (square < least) {
      least = square;
      nearest = k;
    }
  }
  bool novel = false;
  if (known_ == kShapes) {
    const float distance = std::sqrt(static_cast<float>(least) / static_cast<float>(kLength));
    surprise_ = tail_.surprise(distance, static_cast<float>(kLength));
    novel = surprise_ > kNovel;
    tail_.learn(distance);
  }
  learn(shape, nearest, novel);
  return surprise_;
}

void Novelty::learn(const Shape& shape, std::size_t nearest, bool novel) {
  if (known_ < kShapes) {
    // The first ones are half a window apart, so that they differ.
    if ((seen_ - kLength) % (kLength / 2) == 0) {
      uses_[known_] = 1;
      shapes_[known_++] = shape;
    }
    return;
  }
  if (novel) {
    if (++missed_ < kNewRegime) return;
    missed_ = 0;
    nearest = static_cast<std::size_t>(std::min_element(uses_.begin(), uses_.end()) - uses_.begin());
    shapes_[nearest] = shape;
    uses_[nearest] = 1;
    return;
  }
  if (missed_ > 0) missed_--;
  if (++uses_[nearest] >= kMostUses) {
    for (std::uint16_t& u : uses_) u /= 2;
  }
  const float rate = 1 / static_cast<float>(std::min(uses_[nearest], kSlowest));
  for (std::size_t i = 0; i < kLength; i++) {
    const float known = shapes_[nearest][i];
    const float moved = known + rate * (static_cast<float>(shape[i]) - known);
    const float rounded = std::floor(moved + dither(seen_ * 29U + static_cast<std::uint32_t>(i)));
    shapes_[nearest][i] = static_cast<std::int8_t>(std::clamp(rounded, -127.0F, 127.0F));
  }
}

}  // namespace nz::analysis::detect
