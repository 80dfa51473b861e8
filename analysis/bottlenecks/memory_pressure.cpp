// Memory is short: the kernel reclaims pages while somebody waits, and what it took comes back from
// the disk. USE: utilisation is the limit's share, saturation reclaim and swap, errors OOM kills.
#include <algorithm>

#include "analysis/bottlenecks/cpu_use.h"
#include "analysis/bottlenecks/kinds.h"
#include "analysis/bottlenecks/sync_time.h"
#include "analysis/text.h"

namespace nz::analysis {
namespace {

constexpr const char* kEvents = "nearzero_host_vm_events_total";
constexpr const char* kOwnKills = "nearzero_oom_kills_total";
constexpr const char* kPressure = "nearzero_pressure_seconds_total";
constexpr const char* kStall = "nearzero_reclaim_stall_seconds";
constexpr double kPage = 4096;

struct Memory {
  double stalled = 0;          // seconds of direct reclaim per second
  double stalls = 0;           // of the target, times a second
  bool at_limit = false;       // most of the stalls are for the limit of its cgroup
  double pressure = 0;         // PSI some, share of time; the larger of host and target
  double major = 0;            // faults per second: the target's, else the host's
  double swapped = 0;          // pages per second
  double scanned = 0;          // by direct reclaim, pages per second
  double full = 0;             // share of the limit
  std::string scope = "host";  // where PSI is higher
};

double event(const WindowIndex& window, const char* name) {
  return window.rate(kEvents, {{"event", name}});
}

Memory memory(const WindowIndex& window, const std::string& target) {
  Memory m;
  if (window.seconds() <= 0) return m;
  const Labels of_target{{"target", target}};
  m.stalled = window.sum_seconds(kStall, of_target) / window.seconds();
  m.stalls = window.count(kStall, of_target) / window.seconds();
  m.at_limit = window.count(kStall, {{"target", target}, {"kind", "cgroup"}}) >
               window.count(kStall, of_target) / 2;
  const auto some = [&](const std::string& scope) {
    return window.rate(kPressure, {{"scope", scope}, {"resource", "memory"}, {"kind", "some"}});
  };
  m.pressure = some("host");
  if (some(target) > m.pressure) {
    m.pressure = some(target);
    m.scope = target;
  }
  const Labels major{{"target", target}, {"kind", "major"}};
  m.major = window.has("nearzero_target_page_faults_total", major)
                ? window.rate("nearzero_target_page_faults_total", major)
                : event(window, "pgmajfault");
  m.swapped = event(window, "pswpin") + event(window, "pswpout");
  m.scanned = event(window, "pgscan_direct");
  const auto gauge = [&](const char* kind) {
    return window.value("nearzero_target_memory_bytes", {{"target", target}, {"kind", kind}});
  };
  const auto used = gauge("cgroup"), limit = gauge("limit");
  if (used && limit && *limit > 0) m.full = *used / *limit;
  const auto total = window.value("nearzero_host_memory_bytes", {{"kind", "total"}});
  const auto available = window.value("nearzero_host_memory_bytes", {{"kind", "available"}});
  if (total && available && *total > 0) m.full = std::max(m.full, 1 - *available / *total);
  return m;
}

// The swap's and the page cache's share of what the disks do more than before.
double part_of_disk(const Context& context, const Memory& now, const Memory& before) {
  const double grown = context.now.rate("nearzero_disk_bytes_total") -
                       context.before.rate("nearzero_disk_bytes_total");
  if (grown <= 0) return 1;
  const double pages =
      std::max(0.0, now.swapped - before.swapped) + std::max(0.0, now.major - before.major);
  return std::clamp(pages * kPage / grown, 0.0, 1.0);
}

}  // namespace

void find_memory_pressure(const Context& context, const OrderPath& path,
                          std::vector<Candidate>& out) {
  const Rules& rules = context.rules;
  const Memory now = memory(context.now, path.target());
  const Memory before = memory(context.before, path.target());
  const auto more = [&](double a, double b, double least) {
    return a >= least && grew(a, b, rules.faults_growth);
  };
  const bool stalled = more(now.stalled, before.stalled, rules.reclaim_ratio);
  const bool pressed = more(now.pressure, before.pressure, rules.memory_pressure);
  const bool major = more(now.major, before.major, rules.major_faults_per_second);
  const bool swapping = more(now.swapped, before.swapped, rules.swap_pages_per_second);
  // On a fast disk what reclaim takes is soon back: it stalls often, and hardly shows in time.
  const bool reclaims = more(now.stalls, before.stalls, rules.reclaims_per_second);
  // Page cache fills what there is: only where something was freed for it is that too little.
  const bool full =
      now.full >= rules.memory_full && (now.scanned > before.scanned || now.stalls > before.stalls);
  const Labels own{{"target", path.target()}};
  const double own_killed = context.now.change(kOwnKills, own);
  const double killed = std::max(own_killed, context.now.change(kEvents, {{"event", "oom_kill"}}));
  const int signs = static_cast<int>(stalled) + static_cast<int>(pressed) +
                    static_cast<int>(major) + static_cast<int>(swapping) + static_cast<int>(full) +
                    static_cast<int>(reclaims && !stalled);
  // One sign alone is a cold start (major faults) or a backup that fills the page cache.
  if (killed < 1 && signs < 2) return;

  const bool of_host =
      own_killed < 1 && now.scope == "host" && !(now.at_limit && (stalled || reclaims));
  Candidate c = candidate("memory_pressure", path, of_host ? "host memory" : "");
  if (!of_host) c.finding.where = "memory of " + path.target();
  const double stall_per_order =
      path.now().orders_per_second > 0 ? now.stalled / path.now().orders_per_second : 0;
  const SyncTime sync = sync_time(context, path);
  const Processors& cpu = processors(context, path);
  double running = stall_per_order;
  // What comes back costs the CPU, too: most of what the service uses more is kernel time then.
  if ((major || swapping) && path.now().orders_per_second > 0 && cpu.own_kernel_grew > 0 &&
      cpu.own_kernel_grew >= rules.kernel_share * cpu.own_grew)
    running = std::max(running, cpu.own_kernel_grew / path.now().orders_per_second);
  const double more_running = path.excess(Component::running);
  c.claims = {{Component::page_fault, path.excess(Component::page_fault)},
              {Component::running, std::min(running, more_running)}};
  // Reads of what was evicted; syncs are the disk's own affair.
  const double disk = path.excess(Component::disk) - sync.excess();
  if (major || swapping) c.claims.push_back({Component::disk, std::max(0.0, disk)});
  c.finding.title = own_killed >= 1 ? "The kernel has killed a process of " + path.target() +
                                          " for want of memory"
                    : killed >= 1 ? "The kernel has killed a process for want of memory"
                    : swapping    ? "Memory is short: pages go to swap and come back"
                    : major       ? "Memory is short: pages are read again from the disk"
                            : "Memory is short: allocations wait for the kernel to free pages";
  const bool known = context.has_reference();
  const auto if_known = [&](double value) {
    return known ? std::optional<double>(value) : std::nullopt;
  };
  auto& list = c.finding.evidence;
  if (own_killed >= 1) {
    list.push_back(evidence(kOwnKills, own, "OOM kills", own_killed,
                            if_known(context.before.change(kOwnKills, own)), ""));
  } else if (killed >= 1) {
    list.push_back(evidence(kEvents, {{"event", "oom_kill"}}, "OOM kills", killed,
                            if_known(context.before.change(kEvents, {{"event", "oom_kill"}})), ""));
  }
  if (pressed) {
    list.push_back(evidence(kPressure,
                            {{"scope", now.scope}, {"resource", "memory"}, {"kind", "some"}},
                            "time in which somebody waits for memory", now.pressure,
                            if_known(before.pressure), "ratio"));
  }
  if (stalled) {
    list.push_back(evidence(kStall, {{"target", path.target()}}, "in direct reclaim", now.stalled,
                            if_known(before.stalled), "ratio"));
  }
  if (reclaims) {
    list.push_back(evidence(kStall, {{"target", path.target()}}, "stalls to free pages", now.stalls,
                            if_known(before.stalls), "per second"));
  }
  if (major) {
    list.push_back(evidence("nearzero_target_page_faults_total",
                            {{"target", path.target()}, {"kind", "major"}}, "major faults",
                            now.major, if_known(before.major), "per second"));
  }
  if (swapping) {
    list.push_back(evidence(kEvents, {{"event", "pswpin"}}, "pages to and from swap", now.swapped,
                            if_known(before.swapped), "per second"));
  }
  if (full) {
    list.push_back(evidence("nearzero_host_memory_bytes", {{"kind", "available"}}, "memory in use",
                            now.full, if_known(before.full), "ratio"));
  }
  c.finding.recommendation =
      of_host
          ? "Find who takes it: ps -eo pid,rss,comm --sort=-rss | head; bound him (MemoryMax= of "
            "his unit) and protect the service: systemctl set-property UNIT MemoryLow=<its "
            "resident size>, mlockall() for its pages, vm.swappiness=1. Or add memory."
          : "Raise the limit of the service's cgroup (MemoryMax= / MemoryHigh=, v1 "
            "memory.limit_in_bytes; Kubernetes limits.memory) above its working set, or make it "
            "smaller (caches, PRAGMA cache_size, queue lengths).";
  c.always = killed >= 1 || (pressed && signs >= 2);
  c.least_severity = killed >= 1 ? Severity::critical : Severity::info;
  c.symptoms = {signs >= 2, signs >= 3};
  const double disks = major || swapping ? part_of_disk(context, now, before) : 0;
  c.explains = {{"page_faults", 1}, {"disk_saturation", disks}, {"slow_sync", disks}};
  c.explains.push_back({"own_code", running >= 0.5 * more_running ? 1.0 : 0});
  // kswapd and direct reclaim work in the kernel, for somebody else's account.
  if (now.scanned > 0 && cpu.kernel_grew >= rules.kernel_share * cpu.others_grew &&
      cpu.others_grew > 0) {
    c.claims.push_back({Component::runnable, path.excess(Component::runnable)});
    c.explains.push_back({"noisy_neighbour", 1});
    c.explains.push_back({"cpu_saturation", 1});
  }
  out.push_back(std::move(c));
}

}  // namespace nz::analysis
