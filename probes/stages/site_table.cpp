#include "probes/stages/site_table.h"

#include <algorithm>
#include <iterator>

#include "userspace/base/clock.h"

namespace nz::probes {
namespace {

// What began in a pause may end in this time after it without being counted as without a start.
constexpr uint64_t kQuietNs = 50'000'000;

HitKind kind_of(const SiteInfo& site) {
  if (site.returns) return site.stepped ? HitKind::with_return_stepped : HitKind::with_return;
  return site.stepped ? HitKind::uprobe_stepped : HitKind::uprobe;
}

}  // namespace

nz_site site_with(const std::vector<nz_action>& actions, int64_t displacement, bool in_executable) {
  nz_site site{};
  std::copy(actions.begin(), actions.end(), std::begin(site.actions));
  site.sp_displacement = displacement;
  site.in_executable = in_executable ? 1 : 0;
  return site;
}

nz_site winding_down(nz_site site) {
  site.winding_down = 1;
  return site;
}

nz_site after_pause(nz_site site) {
  site.quiet_until = monotonic_ns() + kQuietNs;
  return site;
}

SiteTable::SiteTable(const Env& env, StageIds& ids)
    : env_(env),
      ids_(ids),
      sites_(env.object.array<nz_site>("nz_sites")),
      hits_(env.object.array<uint64_t>("nz_site_hits")) {}

void SiteTable::write(uint32_t number, const nz_site& site) {
  sites_[number] = site;
  env_.object.control().site_generation++;
}

void SiteTable::release(uint32_t number) {
  const auto info = ids_.sites().find(number);
  if (info == ids_.sites().end()) return;
  if (!info->second.is_return)
    released_hits_[{info->second.slot, kind_of(info->second)}] += hits(number);
  for (uint32_t cpu = 0; cpu < env_.drain.layout().cpus; cpu++)
    hits_[cpu * NZ_MAX_SITES + number] = 0;
  ids_.release_site(number);
}

std::vector<Cost> SiteTable::costs() const {
  auto by_kind = released_hits_;
  for (const auto& [number, site] : ids_.sites()) {
    const uint64_t n = hits(number);
    // A return has a number of its own: its price is in the entry's.
    if (n == 0 || site.is_return) continue;
    by_kind[{site.slot, kind_of(site)}] += n;
  }
  std::vector<Cost> result;
  for (const auto& [key, n] : by_kind) result.push_back({key.first, key.second, n});
  return result;
}

uint64_t SiteTable::hits(uint32_t number) const {
  return env_.drain.sum<uint64_t>({hits_.data(), hits_.size()}, NZ_MAX_SITES, number);
}

}  // namespace nz::probes
