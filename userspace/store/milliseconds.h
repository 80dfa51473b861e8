// The unit of time of the database.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace nz::store {

/// Unix seconds, or a span, as milliseconds. NaN is 0; what lies beyond any time there is stays far
/// from where milliseconds overflow.
inline std::int64_t ms(double seconds) {
  constexpr double kMost = 1e12;
  return std::llround(std::clamp(std::isnan(seconds) ? 0.0 : seconds, -kMost, kMost) * 1000);
}

}  // namespace nz::store
