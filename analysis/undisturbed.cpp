#include "analysis/undisturbed.h"

#include <algorithm>

namespace nz::analysis {

std::optional<Stretch> undisturbed(const std::vector<Finding>& findings, double end,
                                   const UndisturbedOptions& options) {
  std::vector<Stretch> disturbed;
  for (const Finding& f : findings) {
    if (f.impact < options.least_impact) continue;
    const bool over = f.state == FindingState::resolved;
    disturbed.push_back({f.since - options.window, over ? f.until : end});
  }
  // Backwards from the newest: `to` is where the stretch ends that is looked at.
  std::sort(disturbed.begin(), disturbed.end(),
            [](const Stretch& a, const Stretch& b) { return a.to > b.to; });
  const double oldest = end - options.horizon;
  double to = end;
  bool first = true;
  for (const Stretch& d : disturbed) {
    if (d.to <= oldest) break;
    if (to - d.to >= options.least) return Stretch{std::max(d.to, to - options.length), to};
    to = std::min(to, d.from);
    first = false;
  }
  // What is before the oldest disturbance, or all where there was none.
  if (!first && to - oldest < options.least) return std::nullopt;
  return Stretch{std::max(oldest, to - options.length), to};
}

}  // namespace nz::analysis
