#include "analysis/detect/tail.h"

#include <algorithm>
#include <cmath>

namespace nz::analysis::detect {
namespace {

constexpr std::uint32_t kMostSeen = 1U << 30;
constexpr std::uint32_t kFirst = 50;  // values that the first guess of both quantiles comes from
constexpr float kTailMemory = 4000;   // values
constexpr std::uint32_t kMemoryBeyond = 80;
constexpr std::uint32_t kPrior = 10;  // excesses that the first guess, an exponential, is worth
constexpr float kMostShape = 0.45F;   // beyond, moments do not exist
constexpr float kMost = 14;           // of a surprise

}  // namespace

float Tail::surprise(float statistic, float alike) const {
  if (seen_ < kFirst) return 0;
  const float limit = std::min(kMost, 2 * std::log10(static_cast<float>(seen_) / alike + 1));
  const float tiny = 1e-6F * size_ + 1e-30F;
  const float body = 0.30103F;  // -log10(0.5)
  const float edge = 1.69897F;  // -log10(0.02)
  if (statistic <= median_) return body * statistic / std::max(median_, tiny);
  if (statistic <= high_) {
    return body + (edge - body) * (statistic - median_) / std::max(high_ - median_, tiny);
  }
  const float variance = square_ - mean_ * mean_;
  const float ratio = variance > 0 ? mean_ * mean_ / variance : 1;
  const float shape = std::clamp((1 - ratio) / 2, 0.0F, kMostShape);
  const float scale = std::max(mean_ * (1 - shape), tiny);
  const float excess = (statistic - high_) / scale;
  const float beyond = shape > 1e-3F ? std::log1p(shape * excess) / shape : excess;
  const float surprise = edge + beyond / 2.302585F;
  // Still in order, where it can not be believed.
  return surprise <= limit ? surprise : limit + std::min((surprise - limit) / 50, 1.0F);
}

void Tail::learn(float statistic) {
  // A statistic that was 0 until now begins to be known with the first that is not.
  if (seen_ >= kFirst && high_ <= 0 && statistic > 0) *this = {};
  if (seen_ < kMostSeen) seen_++;
  const auto count = static_cast<float>(seen_);
  const float bounded =
      seen_ > kFirst ? std::min(statistic, 8 * std::max(size_, high_)) : statistic;
  size_ += (bounded - size_) / std::min(count, kTailMemory);
  if (seen_ <= kFirst) {
    // The second largest of fifty is about the 97th percentile; mean_ holds the largest meanwhile.
    high_ = std::max(high_, std::min(statistic, mean_));
    mean_ = std::max(mean_, statistic);
    const float step = size_ / (1 + count / 8);
    median_ = std::max(0.0F, median_ + (statistic > median_ ? step : -step));
    if (seen_ < kFirst) return;
    median_ = std::min(median_, high_);
    mean_ = std::max(high_ / 4, 1e-3F * size_);
    square_ = 2 * mean_ * mean_;
    beyond_ = kPrior;
    return;
  }
  // Large steps while little is known.
  const float rate = std::max(0.0001F, 1 / (1 + 0.4F * (count - kFirst)));
  median_ = std::max(0.0F, median_ + (statistic > median_ ? 0.5F : -0.5F) * rate * size_);
  const float scale = rate * std::max(size_, high_);
  if (statistic <= high_) {
    high_ = std::max(high_ - kBeyond * scale, median_);
    return;
  }
  high_ += (1 - kBeyond) * std::min(scale, statistic - high_);
  beyond_ = std::min(beyond_ + 1, kMemoryBeyond);
  const float excess = std::clamp(statistic - high_, 0.0F, 6 * mean_);
  mean_ += (excess - mean_) / static_cast<float>(beyond_);
  square_ += (excess * excess - square_) / static_cast<float>(beyond_);
}

}  // namespace nz::analysis::detect
