// The account of what observing costs: hits x price, per probe and target, and who is over budget.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "analysis/breaker.h"
#include "probes/probe.h"
#include "userspace/config/config.h"
#include "userspace/observe/calibrate.h"

namespace nz::agent {

class Ledger {
 public:
  Ledger(const config::Overhead& overhead, observe::Prices prices)
      : overhead_(overhead),
        prices_(std::move(prices)),
        breaker_(overhead.per_target * overhead.breaker_factor, overhead.breaker_seconds) {}

  /// Takes the probes' hits of this moment, `elapsed` seconds after the last time. Returns what the
  /// breaker trips now, as (probe, slot).
  std::vector<analysis::Breaker::Key> update(
      const std::vector<std::unique_ptr<probes::Probe>>& probes, double elapsed);

  /// Seconds of CPU that the probes with a duty cycle have cost `slot` until this moment.
  [[nodiscard]] double pausable_seconds(const std::vector<std::unique_ptr<probes::Probe>>& probes,
                                        uint32_t slot) const;
  /// The duty cycle aims at half of what is left: the load may double between two looks before the
  /// budget is exceeded.
  static constexpr double kAim = 0.5;
  /// Share of one core that is left for them in each of `targets` slots, after what cannot be
  /// paused: of the slot's own budget, and of its part of the budget for everything together.
  [[nodiscard]] double budget_left(const std::vector<std::unique_ptr<probes::Probe>>& probes,
                                   uint32_t slot, size_t targets, unsigned cpus) const;

  /// Takes over changed limits; what has tripped stays so.
  void set_budget(const config::Overhead& overhead) {
    overhead_ = overhead;
    breaker_.set_limit(overhead.per_target * overhead.breaker_factor, overhead.breaker_seconds);
  }

  /// Seconds of CPU since start, by (probe, slot); slot 0 is the host.
  [[nodiscard]] const std::map<analysis::Breaker::Key, double>& seconds() const { return seconds_; }
  /// Share of one core during the last interval.
  [[nodiscard]] const std::map<analysis::Breaker::Key, double>& share() const { return share_; }
  [[nodiscard]] const observe::Prices& prices() const { return prices_; }
  [[nodiscard]] analysis::Breaker& breaker() { return breaker_; }
  [[nodiscard]] const analysis::Breaker& breaker() const { return breaker_; }

 private:
  [[nodiscard]] double price_of(const probes::Cost& cost) const;

  config::Overhead overhead_;
  observe::Prices prices_;
  analysis::Breaker breaker_;
  std::map<analysis::Breaker::Key, double> seconds_;
  std::map<analysis::Breaker::Key, double> share_;
};

}  // namespace nz::agent
