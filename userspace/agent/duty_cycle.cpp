#include "userspace/agent/duty_cycle.h"

#include <algorithm>

#include "userspace/base/closing.h"

namespace nz::agent {
namespace {

constexpr std::chrono::milliseconds kPoll{5};

double seconds(DutyCycle::Clock::duration d) { return std::chrono::duration<double>(d).count(); }

DutyCycle::Clock::duration part_of_period(double ratio) {
  return std::chrono::duration_cast<DutyCycle::Clock::duration>(DutyCycle::kPeriod * ratio);
}

}  // namespace

template <class Do>
void DutyCycle::each_probe(const Do& act) const {
  for (const auto& probe : probes_) {
    if (probe->has_duty_cycle()) act(*probe);
  }
}

// From this moment on: attaching took some milliseconds.
void DutyCycle::observe(uint32_t slot, Target& t, Clock::duration time) const {
  t.phase = Phase::observing;
  t.since = now_();
  t.until = t.since + time;
  t.cost_before = cost_(slot);
}

void DutyCycle::take_account(uint32_t slot, Target& t, Clock::time_point end) const {
  t.duty.observe(cost_(slot) - t.cost_before, seconds(end - t.since));
  t.observed_seconds += seconds(end - t.since);
  t.ratio = enabled_ ? t.duty.ratio(budget_(slot)) : 1;
}

void DutyCycle::step_one(uint32_t slot, Target& t) {
  const Clock::time_point now = now_();
  switch (t.phase) {
    case Phase::observing: {
      if (now < t.until) return;
      Target whole = t;
      take_account(slot, whole, now);
      if (whole.ratio == 1) {
        t = whole;
        observe(slot, t, kLook);
        return;
      }
      // The account is taken when the links go: the ends of the last events cost, too.
      each_probe([&](probes::Probe& p) { p.wind_down(slot); });
      t.phase = Phase::winding_down;
      t.ended = now;
      t.until = now + kPoll;
      return;
    }
    case Phase::winding_down: {
      if (now < t.until) return;
      bool quiet = true;
      each_probe([&](const probes::Probe& p) { quiet = quiet && p.wound_down(slot); });
      if (!quiet && now < t.ended + kGrace) {
        t.until = now + kPoll;
        return;
      }
      take_account(slot, t, t.ended);
      if (t.ratio == 1) {  // the budget has been raised just now
        each_probe([&](probes::Probe& p) { p.resume(slot); });
        observe(slot, t, kLook);
        return;
      }
      {
        // Nobody has to wait for the kernel's grace periods.
        const ClosingTogether together(ClosingTogether::Wait::in_background);
        each_probe([&](probes::Probe& p) { p.pause(slot); });
      }
      t.phase = Phase::paused;
      t.until = now + kPeriod - part_of_period(t.ratio);
      return;
    }
    case Phase::paused:
      if (now < t.until && enabled_) return;
      // Two links at one address would count twice. On a busy host the kernel takes its time, which
      // is not to be a drain's.
      if (ClosingTogether::busy_in_background()) {
        t.until = now + kPoll;
        return;
      }
      ClosingTogether::wait_for_background();
      each_probe([&](probes::Probe& p) { p.resume(slot); });
      if (!enabled_) t.ratio = 1;
      observe(slot, t, part_of_period(t.ratio));
      return;
  }
}

DutyCycle::Clock::time_point DutyCycle::step(const std::vector<uint32_t>& slots) {
  const auto before = states();
  for (auto it = targets_.begin(); it != targets_.end();) {
    if (std::find(slots.begin(), slots.end(), it->first) != slots.end()) {
      ++it;
      continue;
    }
    // Its last process has ended: the next one is observed from its first moment on.
    if (it->second.phase != Phase::observing)
      each_probe([&](probes::Probe& p) { p.resume(it->first); });
    observed_before_[it->first] = before.at(it->first).observed_seconds;
    it = targets_.erase(it);
  }
  auto next = Clock::time_point::max();
  for (const uint32_t slot : slots) {
    const auto [it, fresh] = targets_.try_emplace(slot);
    if (fresh) {
      it->second.observed_seconds = observed_before_[slot];
      observe(slot, it->second, kLook);
    }
    step_one(slot, it->second);
    next = std::min(next, it->second.until);
  }
  return next;
}

void DutyCycle::reset() {
  for (const auto& [slot, state] : states()) observed_before_[slot] = state.observed_seconds;
  targets_.clear();
}

std::map<uint32_t, DutyState> DutyCycle::states() const {
  const Clock::time_point now = now_();
  std::map<uint32_t, DutyState> result;
  for (const auto& [slot, t] : targets_) {
    double observed = t.observed_seconds;
    if (t.phase == Phase::observing) observed += seconds(now - t.since);
    if (t.phase == Phase::winding_down) observed += seconds(t.ended - t.since);
    result[slot] = {t.ratio, observed};
  }
  return result;
}

}  // namespace nz::agent
