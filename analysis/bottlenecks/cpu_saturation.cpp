// Threads wait for a CPU because the target itself, or a process on the very same core, needs more
// than there is. USE: utilisation is the CPU's busy share, saturation the run queue.
#include "analysis/bottlenecks/cpu_use.h"
#include "analysis/bottlenecks/kinds.h"
#include "analysis/bottlenecks/sync_time.h"
#include "analysis/bottlenecks/wait_ahead.h"
#include "analysis/text.h"

namespace nz::analysis {

void find_cpu_saturation(const Context& context, const OrderPath& path,
                         std::vector<Candidate>& out) {
  const double wait = path.excess(Component::runnable);
  const Processors& cpu = processors(context, path);
  const double ahead = cpu.saturated ? wait_ahead(context, path) : 0;
  const bool taken = cpu.taken(context);
  if (!noticeable(context, path, wait) && ahead <= 0 && !taken) return;
  if (cpu.contention == Contention::others) return;  // noisy_neighbour
  const bool bursts = cpu.now.known && !cpu.saturated;
  if (bursts && !context.has_reference()) return;  // it may always have been so
  if (bursts && path.share(wait) < context.rules.least_impact_of_bursts) return;

  Candidate c = candidate("cpu_saturation", path);
  c.claims.push_back({Component::runnable, wait});
  const std::string stage = in_stage(path, Component::runnable);
  const bool same_core = cpu.contention == Contention::same_core;
  const std::string core = "CPU " + cpu.now.busiest;
  if (same_core) {
    c.finding.where = core;
    c.finding.title = noticeable(context, path, wait) || ahead > 0
                          ? "Orders wait for " + core + stage + ": another process computes on it"
                          : core + " is always busy: another process computes on it";
    c.claims.push_back({Component::running, interference(context, path, cpu)});
    c.finding.recommendation =
        "See who else is on it: ps -eLo psr,pcpu,pid,comm --sort=-pcpu | awk '$1==" +
        cpu.now.busiest +
        "'. Move it (taskset -pc <other CPUs> PID, or systemd: AllowedCPUs=), or reserve cores for "
        "the service (cpuset cgroup; isolcpus= and CPUAffinity=). Raising its priority (nice -n "
        "-10, chrt -f 10) shortens the wait until then.";
  } else {
    c.finding.where = bursts ? "run queue" : "all CPUs of the service";
    c.finding.title =
        "Orders wait for a CPU" + stage + ": the service has more work than its CPUs can do";
    c.finding.recommendation =
        "Give it more CPUs (wider AllowedCPUs= or taskset mask, larger machine) or fewer running "
        "threads than CPUs; move reports and other batch work to other cores or nice 19. Where its "
        "CPU time goes: nearzero trace oncpu -p PID --by tid, and the hot functions of the agent.";
  }
  if (cpu.now.known) {
    const auto before = [&](double value) {
      return context.has_reference() ? std::optional<double>(value) : std::nullopt;
    };
    c.finding.evidence.push_back(evidence("nearzero_host_cpu_seconds_total", {}, "busiest CPU",
                                          cpu.now.busiest_share, before(cpu.before.busiest_share),
                                          "ratio"));
    c.finding.evidence.push_back(evidence("nearzero_target_cpu_seconds_total",
                                          {{"target", path.target()}}, "CPUs that the service uses",
                                          cpu.now.own, before(cpu.before.own), "cores"));
    c.finding.evidence.push_back(evidence("nearzero_host_cpu_seconds_total", {},
                                          "CPUs that others use", cpu.now.others,
                                          before(cpu.before.others), "cores"));
  }
  add_wait_ahead(context, path, ahead, c);
  c.always = taken;
  c.symptoms = {cpu.saturated, context.has_reference() && cpu.contended() > 0.1};
  c.explains.push_back({"slow_sync", part_of_syncs(context, path, cpu)});
  // A lock is waited for longer when its holder waits for a CPU.
  if (wait > 4 * path.excess(Component::lock)) c.explains.push_back({"lock_contention", 1});
  out.push_back(std::move(c));
}

}  // namespace nz::analysis
