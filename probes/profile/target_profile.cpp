#include "probes/profile/target_profile.h"

#include "probes/profile/names.h"

namespace nz::probes::profile {

void TargetProfile::set_window(double seconds) {
  analysis::FunctionShares::Options options;
  options.slice = seconds / static_cast<double>(options.window);
  shares_ = analysis::FunctionShares(options);
  stacks_ = FoldedStacks(options.slice, options.window);
}

bool TargetProfile::add(double now, const std::vector<uint32_t>& functions, uint32_t samples) {
  const uint32_t leaf = functions.empty() ? Names::kOther : functions.back();
  shares_.add(now, leaf, samples);
  const auto series = series_.find(leaf);
  (series != series_.end() ? series->second : others_) += samples;
  return stacks_.add(now, functions, samples);
}

void TargetProfile::advance(double now) {
  shares_.advance(now);
  stacks_.advance(now);
  admit();
}

void TargetProfile::admit() {
  constexpr uint64_t kEnough = 100;  // samples, for a share to mean something
  if (series_.size() >= kSeries || shares_.samples() < kEnough) return;
  for (const auto& hot : shares_.hottest(static_cast<size_t>(1 / kHot))) {
    if (hot.share < kHot || series_.size() >= kSeries) return;
    if (hot.function != Names::kOther) series_.try_emplace(hot.function, 0);
  }
}

}  // namespace nz::probes::profile
