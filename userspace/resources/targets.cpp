#include "userspace/resources/targets.h"

#include <unistd.h>

namespace nz::resources {
namespace {

double ticks_to_seconds(uint64_t ticks) {
  static const auto kHz = static_cast<double>(sysconf(_SC_CLK_TCK));
  return static_cast<double>(ticks) / kHz;
}

// What a target's processes are at this moment, together.
struct Moment {
  double resident = 0, swap = 0, threads = 0;
  // Of the process that is nearest to its limit: a sum would hide it.
  double open_files = 0;
  std::optional<double> open_files_limit;

  void add(const Process& process) {
    static const auto kPage = static_cast<double>(sysconf(_SC_PAGESIZE));
    resident += static_cast<double>(process.usage().resident_pages) * kPage;
    swap += static_cast<double>(process.swap_bytes());
    threads += static_cast<double>(process.usage().threads);
    const auto used = static_cast<double>(process.open_files());
    const auto limit = process.open_files_limit();
    if (!limit || *limit == 0) {
      if (!open_files_limit) open_files = std::max(open_files, used);
      return;
    }
    const auto most = static_cast<double>(*limit);
    if (open_files_limit && used / most <= open_files / *open_files_limit) return;
    open_files = used;
    open_files_limit = most;
  }
};

}  // namespace

std::vector<const Processes::Followed*> Targets::members(const std::string& target) const {
  std::vector<const Processes::Followed*> result;
  for (const auto& [pid, followed] : processes_.followed()) {
    if (followed.present() && followed.target == target) result.push_back(&followed);
  }
  return result;
}

void Targets::collect(Context& context, const std::vector<TargetProcesses>& targets, uint64_t now,
                      bool swap, Rows& pressure) {
  processes_.collect(context, targets, now, swap);
  cgroups_.begin();
  std::map<std::string, CgroupSummary> groups;
  for (const TargetProcesses& target : targets) {
    std::vector<std::shared_ptr<const CgroupPlace>> places;
    for (const Processes::Followed* member : members(target.name))
      places.push_back(cgroups_.place(member->process.cgroup()));
    groups[target.name] = cgroups_.summary(context, places);
  }
  cgroups_.end();
  usage(context, targets);
  moment(context, targets, groups);
  waits(context, targets, groups, pressure);
}

void Targets::usage(Context& context, const std::vector<TargetProcesses>& targets) const {
  Rows cpu(context, "nearzero_target_cpu_seconds_total",
           "CPU seconds of the target's processes since they were first seen.", kCounter);
  Rows faults(context, "nearzero_target_page_faults_total", "Page faults of the target.", kCounter);
  Rows io(context, "nearzero_target_io_bytes_total",
          "Bytes that the target had read from and written to block devices.", kCounter);
  for (const TargetProcesses& target : targets) {
    const Processes::Totals totals = processes_.totals(target.name);
    cpu.add({{"target", target.name}, {"mode", "user"}},
            ticks_to_seconds(totals.usage[Usage::user]));
    cpu.add({{"target", target.name}, {"mode", "system"}},
            ticks_to_seconds(totals.usage[Usage::system]));
    faults.add({{"target", target.name}, {"kind", "minor"}},
               static_cast<double>(totals.usage[Usage::minor]));
    faults.add({{"target", target.name}, {"kind", "major"}},
               static_cast<double>(totals.usage[Usage::major]));
    io.add({{"target", target.name}, {"direction", "read"}}, static_cast<double>(totals.io[0]));
    io.add({{"target", target.name}, {"direction", "write"}}, static_cast<double>(totals.io[1]));
  }
}

void Targets::moment(Context& context, const std::vector<TargetProcesses>& targets,
                     const std::map<std::string, CgroupSummary>& groups) const {
  Rows memory(context, "nearzero_target_memory_bytes",
              "Memory of the target in bytes: of its processes, and of its cgroups.", kGauge);
  Rows threads(context, "nearzero_target_threads", "Threads of the target.", kGauge);
  Rows files(context, "nearzero_target_open_files",
             "Open files and their limit, of the target's process nearest to its limit.", kGauge);
  Rows quota(context, "nearzero_target_cpu_quota_cores",
             "CPUs that the target's cgroups allow it; absent without a quota.", kGauge);
  for (const TargetProcesses& target : targets) {
    Moment now;
    for (const Processes::Followed* member : members(target.name)) now.add(member->process);
    const auto add_memory = [&](const char* kind, double bytes) {
      memory.add({{"target", target.name}, {"kind", kind}}, bytes);
    };
    add_memory("resident", now.resident);
    add_memory("swap", now.swap);
    threads.add({{"target", target.name}}, now.threads);
    files.add({{"target", target.name}, {"kind", "used"}}, now.open_files);
    if (now.open_files_limit)
      files.add({{"target", target.name}, {"kind", "limit"}}, *now.open_files_limit);
    const CgroupSummary& group = groups.at(target.name);
    if (group.memory_limit) add_memory("limit", static_cast<double>(*group.memory_limit));
    if (group.memory_used) add_memory("cgroup", static_cast<double>(*group.memory_used));
    if (group.cores) quota.add({{"target", target.name}}, *group.cores);
  }
}

void Targets::waits(Context& context, const std::vector<TargetProcesses>& targets,
                    const std::map<std::string, CgroupSummary>& groups, Rows& pressure) {
  Rows seconds(context, "nearzero_target_throttled_seconds_total",
               "Seconds in which a CPU quota stopped the target, summed over CPUs.", kCounter);
  Rows throttled(context, "nearzero_target_throttled_periods_total",
                 "Periods of the CPU quota in which the target was stopped.", kCounter);
  Rows periods(context, "nearzero_target_quota_periods_total",
               "Periods of the CPU quota in which the target ran.", kCounter);
  for (const TargetProcesses& target : targets) {
    const CgroupSummary& group = groups.at(target.name);
    Waits& total = waits_[target.name];
    total.throttling.periods += group.throttling.periods;
    total.throttling.throttled += group.throttling.throttled;
    total.throttling.nanoseconds += group.throttling.nanoseconds;
    const metrics::Labels labels{{"target", target.name}};
    seconds.add(labels, static_cast<double>(total.throttling.nanoseconds) / 1e9);
    throttled.add(labels, static_cast<double>(total.throttling.throttled));
    periods.add(labels, static_cast<double>(total.throttling.periods));
    for (size_t r = 0; r < kPressureResources.size(); r++) {
      const auto add = [&](const char* kind, uint64_t microseconds) {
        pressure.add({{"scope", target.name}, {"resource", kPressureResources[r]}, {"kind", kind}},
                     static_cast<double>(microseconds) / 1e6);
      };
      auto& sum = total.pressure[r];
      if (const auto& grown = group.pressure[r]; grown) {
        if (!sum) sum = Pressure{};
        sum->some += grown->some;
        if (grown->full) sum->full = sum->full.value_or(0) + *grown->full;
      }
      if (!sum) continue;
      add("some", sum->some);
      if (sum->full) add("full", *sum->full);
    }
  }
}

}  // namespace nz::resources
