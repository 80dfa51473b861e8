#include "analysis/bottlenecks/cpu_use.h"

#include <algorithm>
#include <map>

#include "analysis/bottlenecks/hot_function.h"

namespace nz::analysis {
namespace {

struct PerCpu {
  double busy = 0, idle = 0;
};

bool is_kernel(const std::string& mode) {
  return mode == "system" || mode == "irq" || mode == "softirq";
}

void from_host_counters(const WindowIndex& window, CpuUse& use) {
  std::map<std::string, PerCpu> cpus;
  for (const WindowSeries* s : window.find("nearzero_host_cpu_seconds_total")) {
    const std::string mode = label_of(*s, "mode");
    const double cores = s->change / window.seconds();
    PerCpu& cpu = cpus[label_of(*s, "cpu")];
    if (mode == "steal") {
      use.stolen += cores;
    } else if (mode == "idle" || mode == "iowait") {
      cpu.idle += cores;
    } else {
      cpu.busy += cores;
      use.busy += cores;
      if (is_kernel(mode)) use.kernel += cores;
    }
  }
  use.known = use.busy > 0;
  use.cpus = static_cast<double>(cpus.size());
  double shares = 0;
  for (const auto& [name, cpu] : cpus) {
    const double share = cpu.busy + cpu.idle > 0 ? cpu.busy / (cpu.busy + cpu.idle) : 0;
    shares += share;
    if (share <= use.busiest_share) continue;
    use.busiest_share = share;
    use.busiest = name;
  }
  if (cpus.size() > 1) {
    use.rest_share = (shares - use.busiest_share) / static_cast<double>(cpus.size() - 1);
  }
}

// Where /proc was not read, the scheduler's slices tell as much; not where the kernel worked.
double on_cpu(const WindowIndex& window, const std::string& target) {
  return window.sum_seconds("nearzero_oncpu_slice_seconds", {{"target", target}}) /
         window.seconds();
}

double cores_of(const WindowIndex& window, const std::string& target) {
  const Labels labels{{"target", target}};
  if (window.has("nearzero_target_cpu_seconds_total", labels)) {
    return window.rate("nearzero_target_cpu_seconds_total", labels);
  }
  return on_cpu(window, target);
}

}  // namespace

CpuUse cpu_use(const WindowIndex& window, const std::string& target) {
  CpuUse use;
  if (window.seconds() <= 0) return use;
  from_host_counters(window, use);
  if (!use.known) {
    use.busy = on_cpu(window, "host");
    use.known = use.busy > 0;
    use.cpus = window.value("nearzero_host_cpus").value_or(0);
  }
  double targets = 0, targets_kernel = 0;
  std::vector<std::string> names = window.values_of("nearzero_target_cpu_seconds_total", "target");
  if (names.empty()) names = window.values_of("nearzero_oncpu_slice_seconds", "target");
  for (const std::string& name : names) {
    if (name == "host") continue;
    targets += cores_of(window, name);
    targets_kernel +=
        window.rate("nearzero_target_cpu_seconds_total", {{"target", name}, {"mode", "system"}});
  }
  use.own = target == "host" ? 0 : cores_of(window, target);
  use.own_kernel =
      window.rate("nearzero_target_cpu_seconds_total", {{"target", target}, {"mode", "system"}});
  const double agent = window.rate("nearzero_agent_cpu_seconds_total");
  use.others = std::max(0.0, use.busy - targets - agent);
  use.others_kernel = std::clamp(use.kernel - targets_kernel, 0.0, use.others);
  return use;
}

namespace {

Processors work_out(const Context& context, const OrderPath& path) {
  const Rules& rules = context.rules;
  Processors p;
  p.now = cpu_use(context.now, path.target());
  if (context.has_reference()) p.before = cpu_use(context.before, path.target());
  p.others_grew = p.now.others - p.before.others;
  p.own_grew = p.now.own - p.before.own;
  p.kernel_grew = p.now.others_kernel - p.before.others_kernel;
  p.own_kernel_grew = p.now.own_kernel - p.before.own_kernel;
  if (!p.now.known) return p;
  p.saturated = p.now.busiest_share >= rules.busy_cpu || p.now.host_share() >= rules.busy_cpu;
  const bool neighbour = p.others_grew >= rules.neighbour_cores && p.others_grew >= p.own_grew;
  const bool concentrated = p.now.cpus > 1 && p.now.busiest_share >= rules.busy_cpu &&
                            p.now.rest_share <= rules.quiet_cpus;
  p.contention = !neighbour     ? Contention::own
                 : concentrated ? Contention::same_core
                                : Contention::others;
  return p;
}

}  // namespace

bool Processors::taken(const Context& context) const {
  const bool by_others = contention == Contention::others || contention == Contention::same_core;
  return context.has_reference() && saturated && by_others &&
         others_grew >= context.rules.taken_cores;
}

const Processors& processors(const Context& context, const OrderPath& path) {
  if (!context.cpu) context.cpu = std::make_shared<Processors>(work_out(context, path));
  return *context.cpu;
}

double interference(const Context& context, const OrderPath& path, const Processors& cpu) {
  if (!path.comparable() || cpu.others_grew < context.rules.neighbour_cores) return 0;
  // Neighbours slow all code alike; where one function grew, it is the code.
  if (clearly_hotter(hottest(context.details, path.target()))) return 0;
  return std::min(path.excess(Component::running),
                  path.before().parts[Component::running] * context.rules.interference);
}

}  // namespace nz::analysis
