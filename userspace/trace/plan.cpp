#include "userspace/trace/plan.h"

#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <sstream>
#include <thread>

#include "nearzero/abi.h"
#include "userspace/inspect/call_rate.h"

namespace nz::trace {
namespace {

using probes::HitKind;

uint32_t sched_kinds(const Request& request) {
  uint32_t kinds = 0;
  const auto add = [&kinds](uint32_t kind) { kinds |= 1U << kind; };
  if (wants(request, Kind::runq)) add(NZ_RUNQ_WAKEUP), add(NZ_RUNQ_PREEMPT);
  if (wants(request, Kind::oncpu)) add(NZ_ONCPU);
  if (wants(request, Kind::futex)) add(NZ_OFFCPU + NZ_LOCK);
  if (wants(request, Kind::pagefaults)) add(NZ_OFFCPU + NZ_PAGE_FAULT);
  if (wants(request, Kind::offcpu)) {
    for (uint32_t reason = 0; reason < NZ_REASONS; reason++) add(NZ_OFFCPU + reason);
  }
  return kinds;
}

bool follows_processes(const Request& request) {
  return !request.match.empty() || wants(request, Kind::sqlite);
}

uint64_t number_after(const std::string& path, const std::string& word) {
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string name;
    uint64_t value = 0;
    if (words >> name >> value && name == word) return value;
  }
  return 0;
}

// "Tcp: ... InSegs ..." and the line of values after it.
uint64_t segments_in() {
  std::ifstream file("/proc/net/snmp");
  std::string names;
  std::string values;
  while (std::getline(file, names)) {
    if (!names.starts_with("Tcp:") || !std::getline(file, values)) continue;
    std::istringstream n(names);
    std::istringstream v(values);
    std::string name;
    std::string value;
    while (n >> name && v >> value) {
      if (name == "InSegs") return std::stoull(value);
    }
  }
  return 0;
}

}  // namespace

loader::Object::Options object_options(const Request& request, const Calls& calls) {
  loader::Object::Options o;
  o.layout.cpus = loader::possible_cpus();
  o.layout.task_entries = loader::task_entries();
  o.layout.host = request.match.empty();
  o.layout.max_stages = 1;
  o.layout.max_statements = 256;
  o.layout.max_syscalls = 256;
  o.only = tracing_programs(request);
  const auto add = [&o](std::initializer_list<const char*> programs) {
    o.only.insert(o.only.end(), programs.begin(), programs.end());
  };
  if (sched_kinds(request) != 0) add({"nz_sched_switch", "nz_fork", "nz_exit"});
  if (follows_processes(request)) add({"nz_fork", "nz_exec", "nz_exit"});
  if (wants(request, Kind::syscalls))
    add({"nz_sys_enter", "nz_sys_exit", "nz_trace_count_syscalls"});
  if (wants(request, Kind::sqlite)) {
    add({"nz_sqlite_step", "nz_sqlite_step_return", "nz_sqlite_begin", "nz_sqlite_halt",
         "nz_sqlite_wait", "nz_sqlite_open", "nz_thread_fork", "nz_thread_exec", "nz_thread_exit",
         "nz_forget_threads", "nz_cut_statements"});
  }
  for (const CallProbe& probe : calls.probes) o.only.push_back(probe.program);
  if (!calls.probes.empty()) o.only.emplace_back("nz_trace_count");
  o.trace.on = 1;
  o.trace.by = request.by;
  o.trace.sched_kinds = sched_kinds(request);
  o.trace.everyone = follows_processes(request) ? 0 : 1;
  o.trace.stacks = request.stacks ? 1 : 0;
  o.trace.keys = request.keys;
  o.trace.slower_ns = request.slower_ns;
  return o;
}

std::vector<config::Target> observed_targets(const Request& request) {
  if (!follows_processes(request)) return {};
  config::Target target;
  target.name = "trace";
  target.match = request.match;
  if (target.match.empty()) target.match.comm = "*";
  target.scheduler = sched_kinds(request) != 0;
  target.syscalls = wants(request, Kind::syscalls);
  target.sqlite = wants(request, Kind::sqlite);
  target.sqlite_slow = "off";  // --slower has its own threshold
  return {target};
}

std::vector<std::string> tracing_programs(const Request& request) {
  std::vector<std::string> programs;
  // Ends first: what begins while programs come up is seen whole.
  if (wants(request, Kind::block)) {
    programs.emplace_back("nz_trace_block_complete");
    programs.emplace_back("nz_trace_block_issue");
    programs.emplace_back("nz_trace_block_insert");
    programs.emplace_back("nz_trace_block_merge");
  }
  if (wants(request, Kind::tcp)) {
    programs.emplace_back("nz_trace_tcp_state");
    programs.emplace_back("nz_trace_tcp_read");
    programs.emplace_back("nz_trace_tcp_probe");
    programs.emplace_back("nz_trace_tcp_retransmit");
  }
  if (wants(request, Kind::pagefaults)) {
    programs.emplace_back("nz_trace_fault_user");
    programs.emplace_back("nz_trace_fault_kernel");
  }
  return programs;
}

Estimate estimate(const Request& request, const Calls& calls, loader::Object& object, pid_t pid,
                  const observe::Prices& prices) {
  struct Source {
    std::string name;
    std::function<uint64_t()> read;
    double ns;
    uint64_t before = 0;
  };
  std::vector<Source> sources;
  std::vector<Fd> links;
  const double value = kKeyNs;
  if (sched_kinds(request) != 0) {
    sources.push_back({"context switches", [] { return number_after("/proc/stat", "ctxt"); },
                       prices.ns.at(HitKind::context_switch) + value});
  }
  if (wants(request, Kind::pagefaults)) {
    sources.push_back({"page faults", [] { return number_after("/proc/vmstat", "pgfault"); },
                       prices.ns.at(HitKind::syscall_other) + value});
  }
  if (wants(request, Kind::tcp)) {
    sources.push_back({"TCP segments", segments_in, prices.ns.at(HitKind::syscall_other) + value});
  }
  if (wants(request, Kind::syscalls)) {
    const bool everybody = request.match.empty();
    auto link = object.attach_tracing("nz_trace_count_syscalls");
    if (link) links.push_back(std::move(*link));
    sources.push_back({"system calls", [&object] { return inspect::site_hits(object, 0); },
                       everybody ? prices.ns.at(HitKind::syscall_target) + value
                                 : prices.ns.at(HitKind::syscall_other)});
  }
  size_t site = 1;
  for (const auto& [path, places] : calls.beginnings) {
    std::vector<loader::UprobeSite> sites;
    for (const auto& [offset, index] : places) {
      if (site >= NZ_MAX_SITES) break;
      sites.push_back({offset, site});
      sources.push_back({calls.kinds[index].name,
                         [&object, site] { return inspect::site_hits(object, site); },
                         calls.kinds[index].ns + value});
      site++;
    }
    auto link = object.attach_uprobes("nz_trace_count", path, pid, sites);
    if (link) links.push_back(std::move(*link));
  }
  Estimate result;
  if (sources.empty()) return result;
  const auto start = std::chrono::steady_clock::now();
  for (Source& source : sources) source.before = source.read();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  for (const Source& source : sources) {
    const double rate = static_cast<double>(source.read() - source.before) / seconds;
    const double share = rate * source.ns / 1e9;
    result.share += share;
    if (share > 0.001)
      result.text += fmt::format("{}{:.0f} {} a second at {:.0f} ns",
                                 result.text.empty() ? "" : ", ", rate, source.name, source.ns);
  }
  return result;
}

}  // namespace nz::trace
