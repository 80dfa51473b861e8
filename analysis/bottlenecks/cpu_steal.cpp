// The hypervisor runs somebody else on our CPUs: code that runs takes longer, and no counter of the
// guest but steal shows why.
#include <algorithm>

#include "analysis/bottlenecks/cpu_use.h"
#include "analysis/bottlenecks/kinds.h"
#include "analysis/text.h"

namespace nz::analysis {

void find_cpu_steal(const Context& context, const OrderPath& path, std::vector<Candidate>& out) {
  const Processors& cpu = processors(context, path);
  if (!cpu.now.known || cpu.now.cpus <= 0) return;
  const double grown = cpu.now.stolen - cpu.before.stolen;
  if (grown < context.rules.steal_ratio * cpu.now.cpus) return;
  // Of each second that a CPU seems to work, this part was the hypervisor's.
  const double part = grown / std::max(cpu.now.busy + cpu.now.stolen, 1e-9);
  Candidate c = candidate("cpu_steal", path);
  c.finding.where = "hypervisor";
  const auto of = [&](Component component) {
    return std::min(path.excess(component), path.now().parts[component] * part);
  };
  c.claims = {{Component::running, of(Component::running)},
              {Component::runnable, path.excess(Component::runnable)}};
  c.finding.title = "The hypervisor takes " + percent_text(cpu.now.stolen / cpu.now.cpus) +
                    " of this machine's CPU time";
  c.finding.evidence.push_back(evidence(
      "nearzero_host_cpu_seconds_total", {{"mode", "steal"}}, "stolen", cpu.now.stolen,
      context.has_reference() ? std::optional<double>(cpu.before.stolen) : std::nullopt, "cores"));
  c.finding.recommendation =
      "Move the virtual machine to a host that is not oversold, or to an instance type with "
      "dedicated CPUs (no burst credits); nothing inside the guest helps. Ask the provider about "
      "steal at this time.";
  c.symptoms = {grown >= 2 * context.rules.steal_ratio * cpu.now.cpus};
  const bool alone = cpu.others_grew < context.rules.neighbour_cores;
  c.explains = {{"own_code", 1}, {"cpu_saturation", alone ? 1.0 : 0}};
  out.push_back(std::move(c));
}

}  // namespace nz::analysis
