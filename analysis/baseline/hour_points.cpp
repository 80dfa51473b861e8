#include "analysis/baseline/hour_points.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "analysis/robust.h"

namespace nz::analysis {

double on_scale(Scale scale, double value) { return scale == Scale::log ? std::log(value) : value; }

double off_scale(Scale scale, double scaled) {
  return scale == Scale::log ? std::exp(scaled) : scaled;
}

std::optional<HourSummary> HourPoints::add(double at, double value) {
  const double scaled = on_scale(scale_, value);
  // Where a double still counts hours.
  if (!std::isfinite(scaled) || !(std::fabs(at) < 1e15)) return std::nullopt;
  const auto hour = static_cast<std::int64_t>(std::floor(at / 3600));
  std::optional<HourSummary> over;
  if (hour > hour_) {
    over = summary();
    hour_ = hour;
    kept_ = 0;
    stride_ = 1;
    seen_ = 0;
  }
  if (hour == hour_) take(static_cast<float>(scaled));
  return over;
}

void HourPoints::take(float scaled) {
  if (seen_++ % stride_ != 0) return;
  if (kept_ == kMost) {
    // Every second one makes room; so does every second one to come.
    for (std::size_t i = 0; i < kMost / 2; i++) values_[i] = values_[2 * i];
    kept_ = kMost / 2;
    stride_ *= 2;
    if ((seen_ - 1) % stride_ != 0) return;
  }
  values_[kept_++] = scaled;
}

std::optional<HourSummary> HourPoints::summary() const {
  if (kept_ < 3) return std::nullopt;
  const std::vector<double> values(values_.begin(), values_.begin() + kept_);
  HourSummary s;
  s.hour = hour_;
  const double median = robust::median(values);
  s.median = static_cast<float>(median);
  s.spread = static_cast<float>(robust::sigma(values, median));
  s.points = static_cast<std::uint16_t>(std::min<std::uint32_t>(seen_, UINT16_MAX));
  return s;
}

}  // namespace nz::analysis
