// Where the ticks of an axis are and what they say.
#pragma once

#include <string>
#include <vector>

#include "userspace/analyze/times.h"

namespace nz::analyze {

struct Tick {
  double at = 0;
  std::string text;
  std::string below;  ///< a second line: the date where it changes
};

/// Between `low` and `high`, at 1, 2 or 5 times a power of ten, some `wanted` of them.
std::vector<Tick> number_ticks(double low, double high, int wanted);
/// Powers of ten, and 2 and 5 times them where there are few. Requires 0 < low < high.
std::vector<Tick> log_ticks(double low, double high);
/// Seconds, minutes, hours, days of a clock; numbers else.
std::vector<Tick> time_ticks(const Times& times, double from, double to, int wanted);

}  // namespace nz::analyze
