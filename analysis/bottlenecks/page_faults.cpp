// Page faults: minor ones cost the CPU, and threads that meet in the address space's lock wait.
#include <algorithm>

#include "analysis/bottlenecks/cpu_use.h"
#include "analysis/bottlenecks/kinds.h"
#include "analysis/text.h"

namespace nz::analysis {
namespace {

constexpr const char* kFaults = "nearzero_target_page_faults_total";
constexpr const char* kHostFaults = "nearzero_host_vm_events_total";

struct Storm {
  double faults = 0, before = 0;  // per second
  double cores = 0;               // CPU time that they take beyond before
};

double cpu_of(const Rules& rules, double faults, double kernel_grew, double grown) {
  const double cores = faults * rules.fault_seconds;
  // Most of what grew is kernel time: one fault is dearer here (a guest, large pages, contention).
  return kernel_grew >= rules.kernel_share * grown ? std::max(cores, kernel_grew) : cores;
}

void explain_cpu(Candidate& c, const Processors& cpu, double cores) {
  const double contended = cpu.contended();
  const double part = contended > 0 ? std::clamp(cores / contended, 0.0, 1.0) : 0;
  c.explains.push_back({"cpu_saturation", part});
  c.explains.push_back({"noisy_neighbour", part});
}

void of_target(const Context& context, const OrderPath& path, const Processors& cpu,
               std::vector<Candidate>& out) {
  const Rules& rules = context.rules;
  const Labels minor{{"target", path.target()}, {"kind", "minor"}};
  Storm storm;
  storm.faults = context.now.rate(kFaults, minor);
  storm.before = context.before.rate(kFaults, minor);
  // Per order or per second: more orders may fault more.
  const double load =
      path.comparable() && path.before().orders_per_second > 0
          ? std::max(1.0, path.now().orders_per_second / path.before().orders_per_second)
          : 1;
  const bool many = storm.faults >= rules.faults_per_second &&
                    grew(storm.faults, storm.before * load, rules.faults_growth);
  const double blocked = path.excess(Component::page_fault);
  if (!many && !noticeable(context, path, blocked)) return;

  Candidate c = candidate("page_faults", path);
  c.finding.where = "memory of " + path.target();
  if (many) {
    storm.cores = cpu_of(rules, storm.faults - storm.before, cpu.own_kernel_grew, cpu.own_grew);
    const double orders = path.now().orders_per_second;
    const double running = orders > 0 ? storm.cores / orders : 0;
    c.claims.push_back({Component::running, std::min(running, path.excess(Component::running))});
    if (cpu.contention == Contention::own) explain_cpu(c, cpu, storm.cores);
    c.explains.push_back({"own_code", running >= 0.5 * path.excess(Component::running) ? 1.0 : 0});
  }
  c.claims.push_back({Component::page_fault, blocked});
  c.finding.title = many ? "The service faults pages in " + number_text(storm.faults) +
                               " times a second" + in_stage(path, Component::running)
                         : "Orders wait for page faults" + in_stage(path, Component::page_fault);
  const bool known = context.has_reference();
  c.finding.evidence.push_back(evidence(kFaults, minor, "minor faults", storm.faults,
                                        known ? std::optional<double>(storm.before) : std::nullopt,
                                        "per second"));
  c.finding.evidence.push_back(
      evidence("nearzero_target_cpu_seconds_total", {{"target", path.target()}, {"mode", "system"}},
               "CPU in the kernel", cpu.now.own_kernel,
               known ? std::optional<double>(cpu.before.own_kernel) : std::nullopt, "cores"));
  c.finding.recommendation =
      "See where: nearzero trace pagefaults -p PID --by tid; perf trace -F all -p PID. Keep memory "
      "instead of returning it: mallopt(M_TRIM_THRESHOLD / M_MMAP_THRESHOLD, large) or "
      "MALLOC_TRIM_THRESHOLD_=1073741824 in the unit's environment, pools for buffers, no munmap "
      "or "
      "madvise(MADV_DONTNEED) per order. Touch memory at start and mlockall(MCL_CURRENT | "
      "MCL_FUTURE) (LimitMEMLOCK=infinity); huge pages for large heaps.";
  c.always = known && many && storm.cores >= rules.fault_storm_cores;
  c.symptoms = {many, cpu.own_kernel_grew > 0.1};
  out.push_back(std::move(c));
}

// Somebody else's storm: what looks like a neighbour is the kernel mapping his memory.
void of_host(const Context& context, const OrderPath& path, const Processors& cpu,
             std::vector<Candidate>& out) {
  const Rules& rules = context.rules;
  const Labels event{{"event", "pgfault"}};
  const double own = context.now.rate(kFaults, {{"kind", "minor"}});
  const double own_before = context.before.rate(kFaults, {{"kind", "minor"}});
  const double faults = context.now.rate(kHostFaults, event) - own;
  const double before = std::max(0.0, context.before.rate(kHostFaults, event) - own_before);
  const bool neighbour =
      cpu.contention == Contention::others || cpu.contention == Contention::same_core;
  if (!neighbour || faults < rules.host_faults_per_second ||
      !grew(faults, before, rules.faults_growth) ||
      cpu.kernel_grew < rules.kernel_share * cpu.others_grew) {
    return;
  }
  Candidate c = candidate("page_faults", path, "host memory");
  const double cores = cpu_of(rules, faults - before, cpu.kernel_grew, cpu.others_grew);
  const double part = cpu.others_grew > 0 ? std::clamp(cores / cpu.others_grew, 0.0, 1.0) : 0;
  c.claims = {{Component::runnable, path.excess(Component::runnable) * part},
              {Component::running, interference(context, path, cpu) * part}};
  explain_cpu(c, cpu, cores);
  c.finding.title = "Another process faults pages in " + number_text(faults) +
                    " times a second and takes the CPUs";
  c.finding.evidence.push_back(evidence(
      kHostFaults, event, "page faults of others", faults,
      context.has_reference() ? std::optional<double>(before) : std::nullopt, "per second"));
  c.finding.recommendation =
      "See who: nearzero trace pagefaults --by comm -d 3; pidstat -r 1. Bound it: CPUQuota= and "
      "MemoryHigh= of its unit, CPUs of its own (AllowedCPUs=).";
  c.always = cpu.taken(context) && part >= rules.explained;
  c.symptoms = {true};
  out.push_back(std::move(c));
}

}  // namespace

void find_page_faults(const Context& context, const OrderPath& path, std::vector<Candidate>& out) {
  const Processors& cpu = processors(context, path);
  of_target(context, path, cpu, out);
  of_host(context, path, cpu, out);
}

}  // namespace nz::analysis
