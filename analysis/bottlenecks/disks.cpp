#include "analysis/bottlenecks/disks.h"

#include <algorithm>

namespace nz::analysis {
namespace {

double busy(const WindowIndex& window, const Labels& device) {
  return std::min(1.0, window.rate("nearzero_disk_busy_seconds_total", device));
}

// From the block tracepoints; else from the counters (weighted time by operations).
double latency(const WindowIndex& window, const Labels& device) {
  const double served = window.count("nearzero_block_io_duration_seconds", device);
  if (served > 0) {
    const double queued = window.count("nearzero_block_io_queue_seconds", device);
    return window.sum_seconds("nearzero_block_io_duration_seconds", device) / served +
           (queued > 0 ? window.sum_seconds("nearzero_block_io_queue_seconds", device) / queued
                       : 0);
  }
  const double operations = window.change("nearzero_disk_operations_total", device);
  return operations > 0 ? window.change("nearzero_disk_queue_seconds_total", device) / operations
                        : 0;
}

}  // namespace

bool Disk::saturated(const Context& context) const {
  const Rules& rules = context.rules;
  if (busy < rules.busy_disk || queue < rules.disk_queue) return false;
  if (!context.has_reference()) return true;
  return busy - busy_before >= rules.disk_growth || grew(queue, queue_before, 2);
}

std::optional<bool> Disk::slower(const Context& context) const {
  if (latency <= 0 || latency_before <= 0) return std::nullopt;
  return grew(latency, latency_before, context.rules.growth);
}

std::vector<Disk> disks(const Context& context) {
  std::vector<Disk> all;
  for (const std::string& name :
       context.now.values_of("nearzero_disk_busy_seconds_total", "device")) {
    const Labels device{{"device", name}};
    Disk d;
    d.device = name;
    d.busy = busy(context.now, device);
    d.busy_before = busy(context.before, device);
    d.queue = context.now.rate("nearzero_disk_queue_seconds_total", device);
    d.queue_before = context.before.rate("nearzero_disk_queue_seconds_total", device);
    d.bytes = context.now.rate("nearzero_disk_bytes_total", device);
    d.bytes_before = context.before.rate("nearzero_disk_bytes_total", device);
    d.latency = latency(context.now, device);
    d.latency_before = latency(context.before, device);
    all.push_back(d);
  }
  std::sort(all.begin(), all.end(), [](const Disk& a, const Disk& b) {
    return a.queue != b.queue ? a.queue > b.queue : a.device < b.device;
  });
  return all;
}

}  // namespace nz::analysis
