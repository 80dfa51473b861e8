#include "analysis/bottlenecks/hot_function.h"

#include <tuple>

namespace nz::analysis {

const HotFunction* hottest(const Details& details, const std::string& target) {
  constexpr auto growth = [](const HotFunction& f) {
    const double before = f.before.value_or(f.share);
    return std::tuple(f.share > before ? f.share - before : 0, f.share);
  };
  const HotFunction* best = nullptr;
  for (const HotFunction& f : details.hot_functions) {
    if (f.target == target && (best == nullptr || growth(f) > growth(*best))) best = &f;
  }
  return best;
}

bool clearly_hotter(const HotFunction* function) {
  constexpr double kClearly = 0.10;
  return function != nullptr && function->before && function->share - *function->before >= kClearly;
}

}  // namespace nz::analysis
