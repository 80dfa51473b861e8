#include "probes/by_slot.h"

namespace nz::probes {

BySlot::BySlot(const Env& env, std::span<nz_hist> hists, uint32_t kinds)
    : env_(env), hists_(hists), kinds_(kinds) {
  env_.drain.follow(hists);
}

uint64_t BySlot::count(uint32_t slot, uint32_t kind) const {
  return drain::Drain::count(hists_, NZ_SLOTS * kinds_, slot * kinds_ + kind);
}

std::shared_ptr<const analysis::Histogram> BySlot::of(uint32_t slot, uint32_t kind) const {
  return env_.drain.histogram(hists_, NZ_SLOTS * kinds_, slot * kinds_ + kind);
}

std::shared_ptr<const analysis::Histogram> BySlot::of_everybody(uint32_t kind) const {
  std::shared_ptr<analysis::Histogram> total;
  if (!env_.drain.layout().host) return total;
  for (uint32_t slot = 0; slot < NZ_SLOTS; slot++) {
    const auto part = of(slot, kind);
    if (!part) continue;
    if (!total) total = std::make_shared<analysis::Histogram>();
    total->merge(*part);
  }
  return total;
}

metrics::Labels BySlot::labels_of(uint32_t slot, const metrics::Labels& more) const {
  metrics::Labels labels{{"target", env_.target_name(slot)}};
  labels.insert(labels.end(), more.begin(), more.end());
  return labels;
}

void BySlot::add_histograms(metrics::Family& family, uint32_t kind,
                            const metrics::Labels& more) const {
  for (uint32_t slot = 0; slot < NZ_SLOTS; slot++) {
    auto histogram = slot == 0 ? of_everybody(kind) : of(slot, kind);
    if (!histogram) continue;
    family.samples.push_back({labels_of(slot, more), 0, std::move(histogram)});
  }
}

void BySlot::add_counters(metrics::Family& family, const std::function<uint64_t(uint32_t)>& value,
                          const metrics::Labels& more) const {
  uint64_t everybody = value(0);
  std::vector<metrics::Sample> targets;
  for (uint32_t slot = 1; slot < NZ_SLOTS; slot++) {
    const uint64_t n = value(slot);
    everybody += n;
    if (n == 0 && env_.tracker.target(slot) == nullptr) continue;
    targets.push_back({labels_of(slot, more), static_cast<double>(n), nullptr});
  }
  if (env_.drain.layout().host)
    family.samples.push_back({labels_of(0, more), static_cast<double>(everybody), nullptr});
  for (metrics::Sample& sample : targets) family.samples.push_back(std::move(sample));
}

}  // namespace nz::probes
