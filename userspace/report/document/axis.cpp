#include "userspace/report/document/axis.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "userspace/report/document/words.h"

namespace nz::report {
namespace {

constexpr std::size_t kMostTicks = 7;

// 1, 2, 5 times a power: of ten, and for bytes of two.
double nice_step(double rough, std::string_view unit) {
  double power = 0;
  if (unit == "bytes" && rough > 1) {
    power = std::pow(1024, std::floor(std::log2(rough) / 10));
    const double rest = rough / power;
    for (const double nice : {1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0}) {
      if (nice >= rest * (1 - 1e-9)) return nice * power;
    }
    return 1024 * power;
  }
  power = std::pow(10, std::floor(std::log10(rough)));
  const double rest = rough / power;
  for (const double nice : {1.0, 2.0, 5.0}) {
    if (nice >= rest * (1 - 1e-9)) return nice * power;
  }
  return 10 * power;
}

std::vector<double> linear_ticks(double low, double high, std::string_view unit) {
  const double step = nice_step((high - low) / 5, unit);
  std::vector<double> result;
  for (double k = std::ceil(low / step - 1e-6); k * step <= high * (1 + 1e-9) + step * 1e-6; k++) {
    if (result.size() == 2 * kMostTicks) break;
    result.push_back(k == 0 ? 0 : k * step);
  }
  return result;
}

std::vector<double> log_ticks(double low, double high) {
  std::vector<double> result;
  const double decades = std::log10(high / low);
  const std::vector<double> steps = decades > 3     ? std::vector<double>{1}
                                    : decades > 1.5 ? std::vector<double>{1, 3}
                                                    : std::vector<double>{1, 2, 5};
  const int last = static_cast<int>(std::ceil(std::log10(high)));
  for (int power = static_cast<int>(std::floor(std::log10(low))); power <= last; power++) {
    for (const double s : steps) {
      const double value = s * std::pow(10, power);
      if (value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9)) result.push_back(value);
    }
  }
  // Twelve decades: every second or third of them.
  while (result.size() > kMostTicks) {
    std::vector<double> fewer;
    for (std::size_t i = 0; i < result.size(); i += 2) fewer.push_back(result[i]);
    result = std::move(fewer);
  }
  return result;
}

double log_floor(double value) {
  const double power = std::pow(10, std::floor(std::log10(value)));
  for (const double s : {5.0, 3.0, 2.0, 1.0}) {
    if (s * power <= value * (1 + 1e-9)) return s * power;
  }
  return power;
}

double log_ceiling(double value) {
  const double power = std::pow(10, std::floor(std::log10(value)));
  for (const double s : {1.0, 2.0, 3.0, 5.0, 10.0}) {
    if (s * power >= value * (1 - 1e-9)) return s * power;
  }
  return 10 * power;
}

}  // namespace

Scale::Scale(double low, double high, bool log) : low_(low), high_(high), log_(log) {}

double Scale::at(double value) const {
  const double place = log_ ? (value > 0 ? std::log(value / low_) / std::log(high_ / low_) : 0)
                            : (value - low_) / (high_ - low_);
  return std::clamp(place, 0.0, 1.0);
}

Scale scale_of(const std::vector<double>& values, std::string_view unit) {
  double least = HUGE_VAL, most = -HUGE_VAL;
  for (const double v : values) {
    if (!std::isfinite(v)) continue;
    least = std::min(least, v);
    most = std::max(most, v);
  }
  if (least > most) return {0, 1, false};
  constexpr double kFar = 30;
  if (least > 0 && most / least > kFar) return {log_floor(least), log_ceiling(most), true};
  // A share shows against the whole of it once it is more than a trifle.
  if (unit == "ratio" && least >= 0 && most <= 1 && most > 0.3) return {0, 1, false};
  double low = std::min(least, 0.0);
  if (least > 0 && (most - least) < 0.1 * most && unit == "bytes") low = least;
  if (most <= low) return {low, low + (most == 0 ? 1 : std::fabs(most)), false};
  const double step = nice_step((most - low) / 5, unit);
  low = low == 0 ? 0 : std::floor(low / step) * step;
  return {low, std::ceil(most / step - 1e-9) * step, false};
}

std::vector<double> ticks(const Scale& scale, std::string_view unit) {
  std::vector<double> result = scale.log() ? log_ticks(scale.low(), scale.high())
                                           : linear_ticks(scale.low(), scale.high(), unit);
  while (result.size() > kMostTicks) {
    std::vector<double> fewer;
    for (std::size_t i = 0; i < result.size(); i += 2) fewer.push_back(result[i]);
    result = std::move(fewer);
  }
  if (result.size() < 2) result = {scale.low(), scale.high()};
  return result;
}

std::vector<double> time_ticks(double from, double to, std::size_t most) {
  constexpr std::array kSteps = {1.0,
                                 5.0,
                                 10.0,
                                 30.0,
                                 60.0,
                                 120.0,
                                 300.0,
                                 600.0,
                                 900.0,
                                 1800.0,
                                 3600.0,
                                 7200.0,
                                 10800.0,
                                 21600.0,
                                 43200.0,
                                 kDaySeconds,
                                 2 * kDaySeconds,
                                 7 * kDaySeconds,
                                 14 * kDaySeconds,
                                 28 * kDaySeconds};
  std::vector<double> result;
  if (!(to > from) || most == 0) return result;
  double step = kSteps.back();
  for (const double candidate : kSteps) {
    if ((to - from) / candidate <= static_cast<double>(most)) {
      step = candidate;
      break;
    }
  }
  while ((to - from) / step > static_cast<double>(most)) step *= 2;
  for (double at = std::ceil(from / step) * step; at <= to && result.size() < most; at += step)
    result.push_back(at);
  return result;
}

std::string time_tick_text(double at, double from, double to) {
  const double seconds = to - from;
  const bool midnight = std::fmod(at, kDaySeconds) == 0;
  if (seconds > 5 * kDaySeconds) return time_text(at, "%d %b");
  if (seconds > kDaySeconds) return time_text(at, midnight ? "%d %b" : "%H:%M");
  if (seconds <= 300 && std::fmod(at, 60) != 0) return time_text(at, "%H:%M:%S");
  return time_text(at, "%H:%M");
}

}  // namespace nz::report
