#include "userspace/analyze/svg_axis.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace nz::analyze {
namespace {

double nice_step(double span, int wanted) {
  const double raw = span / wanted;
  const double power = std::pow(10.0, std::floor(std::log10(raw)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= raw * 0.999) return factor * power;
  }
  return 10 * power;
}

double clock_step(double span, int wanted) {
  constexpr std::array<double, 20> kSteps{1,      5,      10,      30,      60,      300,     600,
                                          1800,   3600,   7200,    10800,   21600,   43200,   86400,
                                          172800, 604800, 1209600, 2592000, 7776000, 31536000};
  for (const double step : kSteps) {
    if (span / step <= wanted) return step;
  }
  return kSteps.back() * std::ceil(span / wanted / kSteps.back());
}

}  // namespace

std::vector<Tick> number_ticks(double low, double high, int wanted) {
  std::vector<Tick> ticks;
  if (!(high > low)) return ticks;
  const double step = nice_step(high - low, wanted);
  for (double k = std::ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) {
    // Fewer digits than a double has, so that 0.3 is not 0.30000000000000004.
    ticks.push_back({k * step, fmt::format("{:.6g}", k == 0 ? 0.0 : k * step), ""});
    if (ticks.size() > 1000) break;  // a step below what a double of this size can tell
  }
  return ticks;
}

std::vector<Tick> log_ticks(double low, double high) {
  std::vector<Tick> ticks;
  const bool few = std::log10(high / low) < 2;
  for (double power = std::floor(std::log10(low)); power <= std::log10(high); power++) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      const double at = factor * std::pow(10.0, power);
      if ((factor == 1 || few) && at >= low * 0.999 && at <= high * 1.001)
        ticks.push_back({at, fmt::format("{:.6g}", at), ""});
    }
  }
  return ticks;
}

std::vector<Tick> time_ticks(const Times& times, double from, double to, int wanted) {
  if (!times.clock()) return number_ticks(from, to, wanted);
  std::vector<Tick> ticks;
  if (!(to > from)) return ticks;
  const double step = clock_step(to - from, wanted);
  std::string day;
  for (double at = std::ceil(from / step) * step; at <= to; at += step) {
    const std::string text = calendar_text(at);
    Tick tick{at, "", ""};
    const std::string today = text.substr(0, 10);
    if (step >= 86400) {
      tick.text = day.empty() || day.substr(0, 4) != today.substr(0, 4) ? today : today.substr(5);
    } else {
      tick.text = text.substr(11, step < 60 ? 8 : 5);
      if (today != day) tick.below = today;
    }
    day = today;
    ticks.push_back(tick);
  }
  return ticks;
}

}  // namespace nz::analyze
