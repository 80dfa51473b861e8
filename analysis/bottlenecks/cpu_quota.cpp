// The service's cgroup has used up its CPU quota and stands still for the rest of each period. The
// scheduler sees such threads as runnable: the quota explains their wait.
#include <algorithm>

#include "analysis/bottlenecks/cpu_use.h"
#include "analysis/bottlenecks/kinds.h"
#include "analysis/bottlenecks/wait_ahead.h"
#include "analysis/text.h"

namespace nz::analysis {
namespace {

constexpr const char* kSeconds = "nearzero_target_throttled_seconds_total";
constexpr const char* kPeriods = "nearzero_target_throttled_periods_total";
constexpr const char* kQuota = "nearzero_target_cpu_quota_cores";

// Part of the wait that is the quota's. Throttled time is counted once a CPU however many threads
// wait there, so it cannot be held against theirs; but where nobody else needs the CPUs more than
// before there is nothing else to wait for.
double part_of_quota(const OrderPath& path, const Processors& cpu, double throttled) {
  if (cpu.contention != Contention::others && cpu.contention != Contention::same_core) return 1;
  const double waited = path.excess(Component::runnable) * path.now().orders_per_second;
  return waited > 0 ? std::clamp(throttled / waited, 0.0, 1.0) : 1;
}

}  // namespace

void find_cpu_quota(const Context& context, const OrderPath& path, std::vector<Candidate>& out) {
  const Labels labels{{"target", path.target()}};
  const double throttled = context.now.rate(kSeconds, labels);
  const double before = context.before.rate(kSeconds, labels);
  if (throttled < context.rules.throttled_ratio || !grew(throttled, before, context.rules.growth)) {
    return;
  }
  const double wait = path.excess(Component::runnable);
  const Processors& cpu = processors(context, path);
  const double part = part_of_quota(path, cpu, throttled);

  Candidate c = candidate("cpu_quota", path);
  c.finding.where = "cgroup of " + path.target();
  c.claims.push_back({Component::runnable, wait * part});
  c.finding.title = "The CPU quota stops the service" + in_stage(path, Component::runnable) +
                    " for " + percent_text(std::min(throttled, 1.0)) + " of the time";
  const bool known = context.has_reference();
  c.finding.evidence.push_back(evidence(kSeconds, labels, "throttled", throttled,
                                        known ? std::optional<double>(before) : std::nullopt,
                                        "ratio"));
  c.finding.evidence.push_back(evidence(
      kPeriods, labels, "periods in which the quota ran out", context.now.rate(kPeriods, labels),
      known ? std::optional<double>(context.before.rate(kPeriods, labels)) : std::nullopt,
      "per second"));
  add_wait_ahead(context, path, wait_ahead(context, path) * part, c);
  const auto quota = context.now.value(kQuota, labels);
  std::string size = "above what it needs at its busiest";
  if (quota && *quota > 0) {
    c.finding.evidence.push_back(
        evidence(kQuota, labels, "quota", *quota,
                 known ? context.before.value(kQuota, labels) : std::nullopt, "cores"));
    // What it would use if it were never stopped.
    const double needs = *quota / std::max(0.1, 1 - std::min(throttled, 0.9));
    size = "from " + figure_text(*quota, "cores") + " to " + figure_text(needs * 1.3, "cores") +
           " or more";
  }
  c.finding.recommendation =
      "Raise the quota " + size +
      ": systemctl set-property UNIT CPUQuota=...% (cgroup v2 cpu.max, v1 cpu.cfs_quota_us; "
      "Kubernetes: limits.cpu), or remove it and use CPUWeight=, which only counts when the CPUs "
      "are short. With fewer busy threads the same quota lasts longer in each 100 ms period.";
  c.symptoms = {context.now.change(kPeriods, labels) > 0, !cpu.saturated};
  for (const char* effect : {"cpu_saturation", "noisy_neighbour"}) {
    c.explains.push_back({effect, part});
  }
  // The holder of a lock is stopped with the lock in its hands.
  c.explains.push_back({"lock_contention", wait > 4 * path.excess(Component::lock) ? part : 0});
  c.explains.push_back({"own_code", part});
  out.push_back(std::move(c));
}

}  // namespace nz::analysis
