// Holds the budgets by observing part of the time (docs/adr/0007-duty-cycle.md): of each period of
// 5 s a target's stages, SQLite and system calls are probed as long as the budget allows, and then
// rest, without a trap left in the target's code.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "analysis/duty.h"
#include "probes/probe.h"
#include "userspace/config/config.h"

namespace nz::agent {

/// What is told of a target's duty cycle.
struct DutyState {
  double ratio = 1;             ///< part of the time in which it is observed, (0, 1]
  double observed_seconds = 0;  ///< since start: counts divided by it are rates
};

class DutyCycle {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kPeriod{5000};
  /// How often a target that is observed all the time is looked at: one that has become dear must
  /// not be so for a whole period.
  static constexpr std::chrono::milliseconds kLook{250};
  /// What has begun gets this long to end before its links go.
  static constexpr std::chrono::milliseconds kGrace{50};

  using Now = std::function<Clock::time_point()>;
  /// Seconds of CPU that the probes with a duty cycle have cost the target in this slot so far.
  using CostOf = std::function<double(uint32_t slot)>;
  /// Share of one core that is left for them.
  using BudgetOf = std::function<double(uint32_t slot)>;

  DutyCycle(const std::vector<std::unique_ptr<probes::Probe>>& probes, CostOf cost, BudgetOf budget,
            Now now = Clock::now)
      : probes_(probes), cost_(std::move(cost)), budget_(std::move(budget)), now_(std::move(now)) {}

  /// Begins, pauses and goes on, whatever is due for `slots`, the targets that have processes.
  /// Returns when it wants to be called next; Clock::time_point::max() if there is no target.
  Clock::time_point step(const std::vector<uint32_t>& slots);

  /// Not enabled: what rests goes on at the next step(), and nothing rests any more.
  void enable(bool on) { enabled_ = on; }

  /// The probes have been stopped, and forgot what rests.
  void reset();

  [[nodiscard]] std::map<uint32_t, DutyState> states() const;

 private:
  enum class Phase { observing, winding_down, paused };
  struct Target {
    Phase phase = Phase::observing;
    analysis::Duty duty;
    double ratio = 1;
    Clock::time_point since;  // when observation began
    Clock::time_point ended;  // when winding down began
    Clock::time_point until;  // when the next thing is due
    double cost_before = 0;
    double observed_seconds = 0;
  };

  template <class Do>
  void each_probe(const Do& act) const;
  void observe(uint32_t slot, Target& t, Clock::duration time) const;
  void take_account(uint32_t slot, Target& t, Clock::time_point end) const;
  void step_one(uint32_t slot, Target& t);

  const std::vector<std::unique_ptr<probes::Probe>>& probes_;
  CostOf cost_;
  BudgetOf budget_;
  Now now_;
  bool enabled_ = true;
  std::map<uint32_t, Target> targets_;
  std::map<uint32_t, double> observed_before_;  // of targets that are not in targets_ now
};

}  // namespace nz::agent
