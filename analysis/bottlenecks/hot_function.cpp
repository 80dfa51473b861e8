#include "analysis/bottlenecks/hot_function.h"

#include <tuple>

namespace nz::analysis {

const HotFunction* hottest(const Details& details, const std::string& target) {
  constexpr auto growth = [](const HotFunction& f) {
    return std::tuple(f.share > f.before ? f.share - f.before : 0, f.share);
  };
  const HotFunction* best = nullptr;
  for (const HotFunction& f : details.hot_functions) {
    if (f.target == target && (best == nullptr || growth(f) > growth(*best))) best = &f;
  }
  return best;
}

bool clearly_hotter(const HotFunction* function) {
  constexpr double kClearly = 0.10;
  return function != nullptr && function->share - function->before >= kClearly;
}

}  // namespace nz::analysis
