#include "userspace/agent/long_windows.h"

#include <cmath>

namespace nz::agent {

analysis::Window LongWindows::window(double from, double to, const Families& families) {
  const double length = std::round(to - from);
  if (length <= kLong) return read_(from, to, families);
  Kept& kept = kept_[{length, families}];
  kept.asked = to;
  const bool fresh = kept.to != 0 && to >= kept.to && to - kept.to < length * kStale;
  if (!fresh) {
    kept.window = read_(from, to, families);
    kept.to = to;
  }
  return kept.window;
}

void LongWindows::forget(double before) {
  std::erase_if(kept_, [before](const auto& entry) { return entry.second.asked < before; });
}

}  // namespace nz::agent
