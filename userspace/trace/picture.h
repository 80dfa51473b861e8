// A histogram as people read it in a terminal.
#pragma once

#include <string>

#include "analysis/histogram.h"

namespace nz::trace {

/// Lines "    1.9us ..  3.8us      123 |@@@@@@      |", one an octave, two where there are few
/// octaves; from the first to the last bucket that holds something. Empty when nothing does.
std::string picture(const analysis::Histogram& histogram, size_t width);

}  // namespace nz::trace
