#include "userspace/agent/ledger.h"

#include <algorithm>

namespace nz::agent {

double Ledger::price_of(const probes::Cost& cost) const {
  const auto price = prices_.ns.find(cost.kind);
  return price == prices_.ns.end() ? 0 : static_cast<double>(cost.hits) * price->second / 1e9;
}

double Ledger::pausable_seconds(const std::vector<std::unique_ptr<probes::Probe>>& probes,
                                uint32_t slot) const {
  double sum = 0;
  for (const auto& probe : probes) {
    if (!probe->has_duty_cycle()) continue;
    for (const probes::Cost& cost : probe->costs()) {
      if (cost.slot == slot) sum += price_of(cost);
    }
  }
  return sum;
}

double Ledger::budget_left(const std::vector<std::unique_ptr<probes::Probe>>& probes, uint32_t slot,
                           size_t targets, unsigned cpus) const {
  double own = overhead_.per_target;
  double together = overhead_.host * cpus;
  for (const auto& probe : probes) {
    if (probe->has_duty_cycle()) continue;
    for (const auto& [key, share] : share_) {
      if (key.first != probe->name()) continue;
      together -= share;
      if (key.second == slot) own -= share;
    }
  }
  return kAim * std::min(own, together / static_cast<double>(std::max<size_t>(targets, 1)));
}

std::vector<analysis::Breaker::Key> Ledger::update(
    const std::vector<std::unique_ptr<probes::Probe>>& probes, double elapsed) {
  std::map<analysis::Breaker::Key, double> seconds;
  for (const auto& probe : probes) {
    for (const probes::Cost& cost : probe->costs()) {
      if (prices_.ns.contains(cost.kind)) seconds[{probe->name(), cost.slot}] += price_of(cost);
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
