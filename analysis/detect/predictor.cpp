#include "analysis/detect/predictor.h"

#include <algorithm>
#include <cmath>

namespace nz::analysis::detect {
namespace {

constexpr double kForget = 0.999;  // a memory of a thousand values
constexpr float kStart = 10;       // of the inverse's diagonal, and its most times 10
constexpr std::size_t kLeastPeriod = 4, kMostPeriod = 60;
constexpr std::size_t kLookEvery = 32;
constexpr std::uint8_t kAgree = 3;  // looks in a row that find the same period
constexpr float kLeastPeak = 0.3F;

std::size_t at(std::size_t row, std::size_t column) {  // in the upper triangle
  if (row > column) std::swap(row, column);
  return column * (column + 1) / 2 + row;
}

}  // namespace

std::array<double, Predictor::kTerms> Predictor::terms() const {
  const std::size_t p = period_;
  const auto older = [&](std::size_t with, std::size_t without) {
    return static_cast<double>(past(p > 0 ? with : without));
  };
  return {1,
          static_cast<double>(past(1)),
          static_cast<double>(past(2)),
          static_cast<double>(past(3)),
          static_cast<double>(past(4)),
          older(p > 5 ? p - 1 : 5, 5),
          older(p > 5 ? p : 6, 6),
          older(p > 5 ? p + 1 : 7, 8)};
}

void Predictor::restart() {
  inverse_.fill(0);
  for (std::size_t i = 0; i < kTerms; i++) inverse_[at(i, i)] = kStart;
}

float Predictor::expected() const {
  if (seen_ < kTerms) return seen_ > 0 ? past(1) : 0;
  const std::array<double, kTerms> x = terms();
  double sum = 0;
  for (std::size_t i = 0; i < kTerms; i++) sum += weight_[i] * x[i];
  const double known = static_cast<double>(past(1));
  // A fit that has gone astray is worse than none.
  return std::isfinite(sum) && std::abs(sum) < 1e6 ? static_cast<float>(sum)
                                                   : static_cast<float>(known);
}

void Predictor::learn(float value, float usual) {
  if (seen_ == 0) {
    restart();
    weight_[1] = 0.5;
  }
  if (seen_ >= kTerms) {
    const std::array<double, kTerms> x = terms();
    std::array<double, kTerms> gain{};
    double spread = kForget;
    for (std::size_t i = 0; i < kTerms; i++) {
      for (std::size_t j = 0; j < kTerms; j++) {
        gain[i] += static_cast<double>(inverse_[at(i, j)]) * x[j];
      }
      spread += x[i] * gain[i];
    }
    double error = static_cast<double>(value);
    for (std::size_t i = 0; i < kTerms; i++) error -= weight_[i] * x[i];
    const double most = 3 * static_cast<double>(usual);
    error = std::clamp(error, -most, most);
    double largest = 0;
    bool sound = std::isfinite(error) && spread > kForget / 2 && std::isfinite(spread);
    for (std::size_t i = 0; i < kTerms && sound; i++) {
      weight_[i] += gain[i] / spread * error;
      sound = std::isfinite(weight_[i]) && std::abs(weight_[i]) < 1e3;
      for (std::size_t j = i; j < kTerms; j++) {
        float& entry = inverse_[at(i, j)];
        entry -= static_cast<float>(gain[i] * gain[j] / spread);
        if (i == j) {
          largest = std::max(largest, static_cast<double>(entry));
          sound = sound && entry > 0;
        }
      }
    }
    if (!sound) {
      restart();
      weight_.fill(0);
      weight_[1] = 0.5;
    } else if (largest < 10 * static_cast<double>(kStart)) {
      // What is not excited must not grow without bound.
      for (float& entry : inverse_)
        entry = static_cast<float>(static_cast<double>(entry) / kForget);
    }
  }
  ring_[next_] = value;
  next_ = static_cast<std::uint8_t>((next_ + 1U) % kRing);
  seen_++;
  if (seen_ >= kRing && seen_ % kLookEvery == 0) look_for_period();
}

void Predictor::look_for_period() {
  float mean = 0;
  for (const float v : ring_) mean += v / static_cast<float>(kRing);
  std::array<float, kRing> x{};
  float square = 0;
  for (std::size_t i = 0; i < kRing; i++) {
    x[i] = past(kRing - i) - mean;
    square += x[i] * x[i];
  }
  std::array<float, kMostPeriod + 2> r{};
  for (std::size_t lag = 1; lag < r.size(); lag++) {
    float sum = 0;
    for (std::size_t i = lag; i < kRing; i++) sum += x[i] * x[i - lag];
    // Long lags have fewer products.
    r[lag] =
        square > 0 ? sum / square * static_cast<float>(kRing) / static_cast<float>(kRing - lag) : 0;
  }
  // A peak stands out of a trough before it; noise on a slow wave does not.
  float highest = 0, trough = 1;
  std::array<bool, kMostPeriod + 2> peak{};
  for (std::size_t lag = kLeastPeriod; lag <= kMostPeriod; lag++) {
    trough = std::min(trough, r[lag - 1]);
    peak[lag] = r[lag] >= r[lag - 1] && r[lag] >= r[lag + 1] && r[lag] >= kLeastPeak &&
                r[lag] - trough >= kLeastPeak;
    if (peak[lag]) highest = std::max(highest, r[lag]);
  }
  std::uint8_t found = 0;
  for (std::size_t lag = kLeastPeriod; lag <= kMostPeriod && found == 0; lag++) {
    if (peak[lag] && r[lag] >= 0.85F * highest) found = static_cast<std::uint8_t>(lag);
  }
  const int apart = std::abs(static_cast<int>(found) - static_cast<int>(candidate_));
  agreed_ = found > 0 && apart <= 1 ? static_cast<std::uint8_t>(std::min(agreed_ + 1, 100)) : 1;
  candidate_ = found;
  if (agreed_ < kAgree || std::abs(static_cast<int>(found) - static_cast<int>(period_)) <= 1)
    return;
  period_ = found;
  weight_[5] = weight_[6] = weight_[7] = 0;
  restart();
}

}  // namespace nz::analysis::detect
