#include "userspace/agent/ledger.h"

namespace nz::agent {

std::vector<analysis::Breaker::Key> Ledger::update(
    const std::vector<std::unique_ptr<probes::Probe>>& probes, double elapsed) {
  std::map<analysis::Breaker::Key, double> seconds;
  for (const auto& probe : probes) {
    for (const probes::Cost& cost : probe->costs()) {
      const auto price = prices_.ns.find(cost.kind);
      if (price == prices_.ns.end()) continue;
      seconds[{probe->name(), cost.slot}] += static_cast<double>(cost.hits) * price->second / 1e9;
    }
  }
  share_.clear();
  for (const auto& [key, total] : seconds) {
    const auto before = seconds_.find(key);
    const double grown = total - (before == seconds_.end() ? 0 : before->second);
    share_[key] = elapsed > 0 ? grown / elapsed : 0;
  }
  seconds_ = std::move(seconds);
  return breaker_.observe(share_, elapsed);
}

}  // namespace nz::agent
