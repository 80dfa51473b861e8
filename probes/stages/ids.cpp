#include "probes/stages/ids.h"

#include <algorithm>

namespace nz::probes {
namespace {

// The smallest number below `limit` that no entry of `used` has.
template <class Map>
std::optional<uint32_t> first_free(const Map& used, uint32_t limit) {
  std::set<uint32_t> taken;
  for (const auto& [key, number] : used) taken.insert(number);
  for (uint32_t n = 0; n < limit; n++) {
    if (!taken.contains(n)) return n;
  }
  return std::nullopt;
}

}  // namespace

Result<StageId> StageIds::stage(const std::string& target, const config::Stage& stage) {
  const StageKey key{target, stage.name};
  StageId id;
  // Only from/to needs a place among the open stages; a reload may turn `function` into it.
  if (stage.function.empty()) {
    auto& open = open_[target];
    const auto known = open.find(stage.name);
    const auto place = known != open.end() ? std::optional<uint32_t>(known->second)
                                           : first_free(open, NZ_OPEN_STAGES);
    if (!place) {
      return fail("stage '" + stage.name + "': the target has more than " +
                      std::to_string(NZ_OPEN_STAGES) + " stages with from: and to:",
                  "split the target, or use fewer stages");
    }
    id.open = static_cast<uint8_t>(*place);
    open[stage.name] = id.open;
  }
  const auto known = stages_.find(key);
  if (known != stages_.end()) {
    id.stage = known->second;
    return id;
  }
  if (stages_.size() >= max_stages_) {
    open_[target].erase(stage.name);
    return fail("no room for stage '" + stage.name + "': " + std::to_string(max_stages_) +
                    " have been seen since the agent's start",
                "raise limits.stages and restart the agent");
  }
  id.stage = static_cast<uint16_t>(stages_.size());
  stages_[key] = id.stage;
  return id;
}

void StageIds::configure(const std::string& target, const std::vector<config::Stage>& stages) {
  std::erase_if(open_[target], [&](const auto& entry) {
    return std::none_of(stages.begin(), stages.end(), [&](const config::Stage& s) {
      return s.name == entry.first && s.function.empty();
    });
  });
}

Result<uint32_t> StageIds::site(const SiteKey& key, bool returns, bool stepped) {
  const auto known = sites_.find(key);
  const auto number = known != sites_.end() ? std::optional<uint32_t>(known->second)
                                            : first_free(sites_, NZ_MAX_SITES);
  if (!number) {
    return fail("more than " + std::to_string(NZ_MAX_SITES) + " addresses would be probed",
                "use fewer stages or narrower patterns");
  }
  sites_[key] = *number;
  info_[*number] = {key.slot, returns, stepped, key.is_return};
  return *number;
}

void StageIds::release_site(uint32_t number) {
  info_.erase(number);
  std::erase_if(sites_, [&](const auto& entry) { return entry.second == number; });
}

}  // namespace nz::probes
