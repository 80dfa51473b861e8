// Use, saturation and errors by resource (Gregg's USE), of the host and of each service.
#include <algorithm>
#include <cmath>

#include "analysis/text.h"
#include "userspace/report/sections.h"

namespace nz::report {
namespace {

using analysis::Labels;
using analysis::WindowIndex;

constexpr std::size_t kMostDevices = 12;
constexpr double kUnknown = NAN;

class Rows {
 public:
  Rows(const Facts& facts, std::string title) : facts_(facts) {
    table_.title = std::move(title);
    table_.columns = {{"resource"}, {"now", true}};
    if (facts.compared) {
      table_.columns.push_back({"was", true});
      table_.columns.push_back({"change", true});
    }
    table_.columns.push_back({"limit", true});
    table_.columns.push_back({"used", true});
  }

  /// A figure in both windows, as `of` takes it from one. NaN now: no row.
  template <class Of>
  void add(const Text& what, Of of, const char* unit, double limit = kUnknown,
           Worse worse = Worse::more) {
    const double now = of(facts_.now);
    if (!std::isfinite(now)) return;
    const double before = facts_.compared ? of(facts_.before) : kUnknown;
    std::vector<Cell> row{{what, Tone::none}, {{analysis::figure_text(now, unit)}, Tone::none}};
    if (facts_.compared) {
      row.push_back({{figure_or_dash(before, unit)}, Tone::none});
      row.push_back({{change_text(now, before)}, change_tone(now, before, worse)});
    }
    // A share is its own use.
    const bool limited = std::isfinite(limit) && limit > 0;
    const bool whole = limited && limit == 1 && std::string_view(unit) == "ratio";
    const double used = limited ? now / limit : kUnknown;
    row.push_back({{limited && !whole ? analysis::figure_text(limit, unit) : ""}, Tone::none});
    const Tone tone = used >= 0.9 ? Tone::bad : used >= 0.75 ? Tone::warn : Tone::none;
    row.push_back({{limited ? analysis::percent_text(used) : ""}, tone});
    table_.rows.push_back(std::move(row));
  }
  /// A counter per second.
  void rate(const Text& what, const char* family, const Labels& labels, const char* unit,
            double limit = kUnknown, Worse worse = Worse::more) {
    add(
        what,
        [&](const WindowIndex& w) {
          return w.has(family, labels) ? w.rate(family, labels) : kUnknown;
        },
        unit, limit, worse);
  }
  void gauge(const Text& what, const char* family, const Labels& labels, const char* unit,
             double limit = kUnknown) {
    add(
        what, [&](const WindowIndex& w) { return w.value(family, labels).value_or(kUnknown); },
        unit, limit);
  }
  /// That of `there`, what is beyond `most` has no row.
  void cap(std::size_t there, std::size_t most, const char* one, const char* many) {
    if (there <= most) return;
    table_.note += (table_.note.empty() ? "" : " ") +
                   counted(static_cast<double>(there - most), one, many) + " left out.";
  }
  [[nodiscard]] bool empty() const { return table_.rows.empty(); }
  Table take() { return std::move(table_); }

 private:
  const Facts& facts_;
  Table table_;
};

constexpr const char* kHostCpu = "nearzero_host_cpu_seconds_total";

double cpu_share(const WindowIndex& w, const Labels& cpu, bool steal) {
  double all = 0, part = 0;
  for (const auto* s : w.find(kHostCpu, cpu)) {
    const std::string mode = analysis::label_of(*s, "mode");
    all += s->change;
    const bool idle = mode == "idle" || mode == "iowait";
    if (steal ? mode == "steal" : !idle) part += s->change;
  }
  return all > 0 ? part / all : kUnknown;
}

double busiest_cpu(const WindowIndex& w) {
  double most = kUnknown;
  for (const std::string& cpu : w.values_of(kHostCpu, "cpu")) {
    const double busy = cpu_share(w, {{"cpu", cpu}}, false);
    if (std::isfinite(busy) && !(busy <= most)) most = busy;
  }
  return most;
}

double memory_used(const WindowIndex& w) {
  const auto total = w.value("nearzero_host_memory_bytes", {{"kind", "total"}});
  const auto available = w.value("nearzero_host_memory_bytes", {{"kind", "available"}});
  return total && available ? *total - *available : kUnknown;
}

double retransmit_ratio(const WindowIndex& w) {
  const double out = w.change("nearzero_tcp_events_total", {{"event", "segments_out"}});
  return out > 0 ? w.change("nearzero_tcp_events_total", {{"event", "retransmits"}}) / out
                 : kUnknown;
}

double filesystem_used(const WindowIndex& w, const std::string& mount) {
  const auto size = w.value("nearzero_filesystem_bytes", {{"mount", mount}, {"kind", "size"}});
  const auto free = w.value("nearzero_filesystem_bytes", {{"mount", mount}, {"kind", "available"}});
  return size && free ? *size - *free : kUnknown;
}

double limit_of(const WindowIndex& w, const char* family, const Labels& labels) {
  return w.value(family, labels).value_or(kUnknown);
}

Table host_table(const Facts& facts) {
  Rows rows(facts, "Host");
  rows.add(
      {"CPUs busy"}, [](const WindowIndex& w) { return cpu_share(w, {}, false); }, "ratio", 1);
  rows.add({"busiest CPU"}, busiest_cpu, "ratio", 1);
  rows.add(
      {"stolen by the hypervisor"}, [](const WindowIndex& w) { return cpu_share(w, {}, true); },
      "ratio");
  rows.gauge({"threads that run or wait for a CPU"}, "nearzero_host_runnable_threads", {}, "");
  rows.add({"memory in use"}, memory_used, "bytes",
           limit_of(facts.now, "nearzero_host_memory_bytes", {{"kind", "total"}}));
  for (const char* resource : {"cpu", "memory", "io"})
    rows.rate({std::string("time in which somebody waited for ") + resource + " (PSI)"},
              "nearzero_pressure_seconds_total",
              {{"scope", "host"}, {"resource", resource}, {"kind", "some"}}, "ratio");
  std::size_t devices = 0;
  const auto disks = facts.now.values_of("nearzero_disk_busy_seconds_total", "device");
  rows.cap(disks.size(), kMostDevices, "further disk is", "further disks are");
  for (const std::string& device : disks) {
    if (devices++ == kMostDevices) break;
    Text disk("disk ");
    disk.code(shortened(device, 60));
    rows.rate(Text(disk).plain(" busy"), "nearzero_disk_busy_seconds_total", {{"device", device}},
              "ratio", 1);
    rows.rate(Text(disk).plain(" requests waiting or served"), "nearzero_disk_queue_seconds_total",
              {{"device", device}}, "");
  }
  const auto mounts = facts.now.values_of("nearzero_filesystem_bytes", "mount");
  rows.cap(mounts.size(), kMostDevices, "further file system is", "further file systems are");
  std::size_t shown = 0;
  for (const std::string& mount : mounts) {
    if (shown++ == kMostDevices) break;
    rows.add(
        Text("file system ").code(shortened(mount, 100)),
        [&](const WindowIndex& w) { return filesystem_used(w, mount); }, "bytes",
        limit_of(facts.now, "nearzero_filesystem_bytes", {{"mount", mount}, {"kind", "size"}}));
  }
  rows.add({"TCP segments sent again"}, retransmit_ratio, "ratio");
  rows.rate({"connections lost to a full backlog"}, "nearzero_tcp_events_total",
            {{"event", "listen_overflows"}}, "per second");
  rows.gauge({"open files"}, "nearzero_host_open_files", {{"kind", "used"}}, "",
             limit_of(facts.now, "nearzero_host_open_files", {{"kind", "limit"}}));
  return rows.take();
}

Table target_table(const Facts& facts, const std::string& target) {
  Rows rows(facts, target);
  const Labels own{{"target", target}};
  rows.rate({"CPUs used"}, "nearzero_target_cpu_seconds_total", own, "cores",
            limit_of(facts.now, "nearzero_target_cpu_quota_cores", own), Worse::neither);
  rows.rate({"stopped by its CPU quota"}, "nearzero_target_throttled_seconds_total", own, "ratio");
  rows.add(
      {"wait for a CPU, p99"},
      [&](const WindowIndex& w) {
        return w.histogram("nearzero_runqueue_latency_seconds", own).quantile(0.99);
      },
      "seconds");
  rows.gauge(
      {"memory, resident"}, "nearzero_target_memory_bytes",
      {{"target", target}, {"kind", "resident"}}, "bytes",
      limit_of(facts.now, "nearzero_target_memory_bytes", {{"target", target}, {"kind", "limit"}}));
  rows.rate({"major page faults"}, "nearzero_target_page_faults_total",
            {{"target", target}, {"kind", "major"}}, "per second");
  rows.rate({"minor page faults"}, "nearzero_target_page_faults_total",
            {{"target", target}, {"kind", "minor"}}, "per second");
  rows.gauge(
      {"open files"}, "nearzero_target_open_files", {{"target", target}, {"kind", "used"}}, "",
      limit_of(facts.now, "nearzero_target_open_files", {{"target", target}, {"kind", "limit"}}));
  rows.gauge({"threads"}, "nearzero_target_threads", own, "");
  rows.rate({"written to disk, a second"}, "nearzero_target_io_bytes_total",
            {{"target", target}, {"direction", "write"}}, "bytes", kUnknown, Worse::neither);
  for (const char* protocol : {"tcp", "udp"}) {
    for (const auto& [direction, did] : {std::pair{"in", "received"}, std::pair{"out", "sent"}}) {
      const Labels labels{{"target", target}, {"protocol", protocol}, {"direction", direction}};
      if (facts.now.change("nearzero_socket_bytes_total", labels) == 0) continue;
      rows.rate({std::string(did) + " over " + protocol + ", a second"},
                "nearzero_socket_bytes_total", labels, "bytes", kUnknown, Worse::neither);
    }
  }
  rows.rate({"TCP retransmits"}, "nearzero_tcp_retransmits_total", own, "per second");
  return rows.take();
}

}  // namespace

std::optional<Section> resources_section(const Facts& facts) {
  Section section{"resources", "Use of resources", {}};
  Table host = host_table(facts);
  if (!host.rows.empty()) section.blocks.emplace_back(std::move(host));
  for (const Target& target : facts.targets) {
    Table table = target_table(facts, target.name);
    if (!table.rows.empty()) section.blocks.emplace_back(std::move(table));
  }
  if (section.blocks.empty()) return std::nullopt;
  return section;
}

}  // namespace nz::report
