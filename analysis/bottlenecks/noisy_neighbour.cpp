// Threads wait for a CPU, and run slower, because processes that are no targets use the CPUs.
#include "analysis/bottlenecks/cpu_use.h"
#include "analysis/bottlenecks/kinds.h"
#include "analysis/bottlenecks/sync_time.h"
#include "analysis/bottlenecks/wait_ahead.h"
#include "analysis/text.h"

namespace nz::analysis {

void find_noisy_neighbour(const Context& context, const OrderPath& path,
                          std::vector<Candidate>& out) {
  const Processors& cpu = processors(context, path);
  if (cpu.contention != Contention::others) return;
  const double wait = path.excess(Component::runnable);
  const double slower = interference(context, path, cpu);
  const double ahead = cpu.saturated ? wait_ahead(context, path) : 0;
  const bool taken = cpu.taken(context);
  if (!noticeable(context, path, wait + slower) && ahead <= 0 && !taken) return;
  const Rules& rules = context.rules;
  // Nobody knows what the others used before: only what fills the CPUs is too much of it.
  if (!context.has_reference() && !cpu.saturated) return;
  if (cpu.now.known && !cpu.saturated && path.share(wait) < rules.least_impact_of_bursts &&
      (cpu.others_grew < rules.interfering_cores ||
       path.share(slower) < rules.least_interference)) {
    return;
  }

  Candidate c = candidate("noisy_neighbour", path);
  c.claims = {{Component::runnable, wait}, {Component::running, slower}};
  c.finding.where = "other processes of the host";
  c.finding.title = "Other processes take the CPUs from the service" +
                    in_stage(path, Component::runnable) + ": they use " +
                    figure_text(cpu.now.others, "cores") + " of " + number_text(cpu.now.cpus);
  c.finding.recommendation =
      "See who it is: nearzero trace oncpu --by comm -d 5 (or top). Give it less: systemctl "
      "set-property UNIT CPUWeight=10 (or AllowedCPUs=, CPUQuota=), renice 19; give the service a "
      "set of CPUs of its own (AllowedCPUs= for both) or CPUWeight=1000. On a shared machine, move "
      "one of the two.";
  const bool known = context.has_reference();
  c.finding.evidence.push_back(
      evidence("nearzero_host_cpu_seconds_total", {}, "CPUs that others use", cpu.now.others,
               known ? std::optional<double>(cpu.before.others) : std::nullopt, "cores"));
  c.finding.evidence.push_back(
      evidence("nearzero_host_cpu_seconds_total", {}, "host busy", cpu.now.host_share(),
               known ? std::optional<double>(cpu.before.host_share()) : std::nullopt, "ratio"));
  c.finding.evidence.push_back(
      evidence("nearzero_target_cpu_seconds_total", {{"target", path.target()}},
               "CPUs that the service uses", cpu.now.own,
               known ? std::optional<double>(cpu.before.own) : std::nullopt, "cores"));
  add_wait_ahead(context, path, ahead, c);
  c.always = taken;
  c.symptoms = {cpu.saturated, cpu.others_grew >= 2 * rules.neighbour_cores};
  c.explains.push_back({"slow_sync", part_of_syncs(context, path, cpu)});
  if (wait > 4 * path.excess(Component::lock)) c.explains.push_back({"lock_contention", 1});
  out.push_back(std::move(c));
}

}  // namespace nz::analysis
