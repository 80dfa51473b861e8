#include "analysis/detect/day_shape.h"

#include <algorithm>
#include <cmath>

namespace nz::analysis::detect {
namespace {

constexpr std::uint16_t kMostVisits = 60000;
constexpr float kMemoryDays = 6;  // how slowly a shape that is known changes
constexpr double kWeekendEdge = 4 * 3600.0;
constexpr float kWeekend = 0.2F;       // stabilised: a fifth more or less
constexpr float kDayAmplitude = 0.5F;  // stabilised; many a day's curve is as steep
constexpr float kSure = 4;             // standard errors
constexpr float kMostSquare = 4;
constexpr double kMarksADay = 256;

}  // namespace

DayShape::Place DayShape::place(double at) {
  const double days = std::floor(at / kDay);
  const double width = kDay / static_cast<double>(kBins);
  // Times may be any numbers, also such that have no seconds left.
  const double position = std::clamp((at - days * kDay) / width, 0.0, static_cast<double>(kBins));
  const auto bin = std::min(kBins - 1, static_cast<std::size_t>(position));
  // 1970-01-01 was a Thursday.
  double weekday = std::fmod(days + 3, 7);
  if (weekday < 0) weekday += 7;
  return {weekday >= 5 ? std::size_t{1} : std::size_t{0}, bin,
          static_cast<float>(position - static_cast<double>(bin) - 0.5)};
}

std::uint8_t DayShape::mark(double at) {
  const double part = std::clamp(at / kDay - std::floor(at / kDay), 0.0, 1.0);
  return static_cast<std::uint8_t>(static_cast<unsigned>(part * kMarksADay + 0.5) & 0xFFU);
}

double DayShape::time_of(std::uint8_t mark, double about) {
  const double part = mark / kMarksADay;
  const double middle = (std::round(about / kDay - part) + part) * kDay;
  constexpr double kHalf = kDay / kMarksADay / 2;
  return std::clamp(about, middle - kHalf, middle + kHalf);
}

bool DayShape::learn(double at, float difference) {
  const Place p = place(at);
  const bool next = seen_ > 0 && (p.bin != bin_ || p.kind != kind_);
  const bool first_day = next && close_bin();
  bin_ = static_cast<std::uint8_t>(p.bin);
  kind_ = static_cast<std::uint8_t>(p.kind);
  sum_ += difference;
  seen_++;
  return first_day;
}

float DayShape::centre() {
  float mean = 0;
  for (const auto& shape : shape_) {
    for (const float bin : shape) mean += bin / static_cast<float>(kBins);
  }
  for (auto& shape : shape_) {
    for (float& bin : shape) bin -= mean;
  }
  sum_ -= mean * static_cast<float>(seen_);
  return mean;
}

// Bins of that kind that were passed before: what both kinds know is not thrown away where one is
// new.
std::size_t DayShape::again(std::size_t kind) const {
  return visits_[kind] > kBins ? visits_[kind] - kBins : 0;
}

// Whether it was the last one of the first day.
bool DayShape::close_bin() {
  const float mean = sum_ / static_cast<float>(seen_);
  float& known = shape_[kind_][bin_];
  const auto days = static_cast<float>(visits_[kind_] / kBins);
  if (days >= 1) {
    const float rate = 1 / std::min(96.0F, static_cast<float>(again(0) + again(1) + 1));
    const auto learn = [&](float& square, float off) {
      // A step that is not told yet is no day.
      const float most = rate < 0.1F ? kMostSquare * square : off * off;
      square += (std::min(off * off, most) - square) * rate;
    };
    learn(with_, mean - known);
    learn(without_, mean);
  }
  known += (mean - known) / std::min(days + 1, kMemoryDays);
  if (visits_[kind_] < kMostVisits) visits_[kind_]++;
  sum_ = 0;
  seen_ = 0;
  return std::size_t{visits_[0]} + visits_[1] == kBins;
}

float DayShape::trust(std::size_t kind) const {
  if (visits_[kind] < 2 * kBins || without_ <= 0) return 0;
  return std::clamp(1.15F - 1.3F * with_ / without_, 0.0F, 1.0F);
}

std::size_t DayShape::shape_for(std::size_t kind) const {
  return visits_[kind] < 2 * kBins ? 0 : kind;
}

float DayShape::at(double at) const {
  const Place p = place(at);
  const std::size_t kind = shape_for(p.kind);
  const float trusted = trust(kind);
  if (trusted <= 0) return 0;
  const auto& shape = shape_[kind];
  const std::size_t other = p.part >= 0 ? (p.bin + 1) % kBins : (p.bin + kBins - 1) % kBins;
  return trusted * (shape[p.bin] + std::abs(p.part) * (shape[other] - shape[p.bin]));
}

float DayShape::edge(double at, bool slow) const {
  const Place p = place(at);
  const bool other_kind = place(at - kWeekendEdge).kind != place(at + kWeekendEdge).kind;
  const float weekend = slow && other_kind ? kWeekend : 0;
  const std::size_t kind = shape_for(p.kind);
  const float trusted = trust(kind);
  if (trusted <= 0) return weekend;
  const auto& shape = shape_[kind];
  // What bends by more than bins do that are not known better.
  const auto days = std::min(kMemoryDays, static_cast<float>(visits_[kind] / kBins));
  const float least = kSure * std::sqrt(6 * with_ / days);
  float edge = 0;
  for (std::size_t i = 0; i < 3; i++) {
    const std::size_t b = p.bin + kBins + i - 1;
    const float bent =
        shape[(b + 1) % kBins] - 2 * shape[b % kBins] + shape[(b + kBins - 1) % kBins];
    if (std::abs(bent) > least) edge = std::max(edge, std::abs(bent));
  }
  return std::max(weekend, trusted * edge);
}

float DayShape::bend(double at, double seconds, float noise) const {
  float amplitude = kDayAmplitude;
  if (known(at)) {
    // Half an hour's mean has noise of its own, and so has the shape.
    amplitude = std::sqrt(std::max(0.0F, std::min(with_, without_) - 1.3F * noise));
  } else if (visits_[0] >= 2 * kBins) {
    amplitude = std::min(amplitude, std::sqrt(with_) + std::sqrt(without_) / 2);
  }
  const double turn = 3.14159 * seconds / kDay;
  return amplitude * static_cast<float>(std::min(1.0, turn * turn / 2));
}

}  // namespace nz::analysis::detect
