// Processes are born and die by the thousand: fork, exec, page faults and exit eat CPUs that then
// look like a neighbour's or our own.
#include <algorithm>

#include "analysis/bottlenecks/cpu_use.h"
#include "analysis/bottlenecks/kinds.h"
#include "analysis/text.h"

namespace nz::analysis {

void find_fork_storm(const Context& context, const OrderPath& path, std::vector<Candidate>& out) {
  constexpr const char* kForks = "nearzero_host_forks_total";
  const Rules& rules = context.rules;
  const double forks = context.now.rate(kForks);
  const double before = context.before.rate(kForks);
  if (forks < rules.forks_per_second || !grew(forks, before, rules.forks_growth)) return;
  const Processors& cpu = processors(context, path);
  const double contended = cpu.contended();
  const double kernel = cpu.contention == Contention::own ? cpu.own_kernel_grew : cpu.kernel_grew;
  double part = 1;
  if (contended > 0) {
    part = (forks - before) * rules.fork_seconds / contended;
    // More than half of it in the kernel: the forks are the work, whatever one costs here.
    if (kernel >= rules.kernel_share * contended) part = 1;
  }
  part = std::clamp(part, 0.0, 1.0);
  Candidate c = candidate("fork_storm", path, "host forks");
  c.claims = {{Component::runnable, path.excess(Component::runnable) * part},
              {Component::running, interference(context, path, cpu) * part}};
  c.finding.title =
      "Processes are started " + number_text(forks) + " times a second and take the CPUs";
  c.finding.evidence.push_back(evidence(
      kForks, {}, "forks", forks,
      context.has_reference() ? std::optional<double>(before) : std::nullopt, "per second"));
  c.finding.recommendation =
      "Find the parent: ps -eo ppid,comm --sort=ppid | uniq -c | sort -rn | head; perf trace -s or "
      "execsnoop shows what is started. Usual causes: a script that calls programs in a loop, a "
      "service that systemd restarts without end (systemctl list-units --state=activating), a "
      "health check by exec. Bound it: TasksMax= and CPUQuota= of its unit (pids.max).";
  c.always = context.has_reference() && forks >= rules.fork_storm_per_second;
  c.symptoms = {kernel >= rules.kernel_share * std::max(contended, 0.01),
                forks >= rules.fork_storm_per_second};
  for (const char* effect : {"noisy_neighbour", "cpu_saturation"}) {
    c.explains.push_back({effect, part});
  }
  // Each child copies page tables and faults its pages in.
  c.explains.push_back({"page_faults", 1});
  out.push_back(std::move(c));
}

}  // namespace nz::analysis
