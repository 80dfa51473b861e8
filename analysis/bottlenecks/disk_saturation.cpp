// A disk has more requests than it can serve. USE: utilisation is busy time, saturation the queue.
#include "analysis/bottlenecks/disks.h"
#include "analysis/bottlenecks/kinds.h"
#include "analysis/bottlenecks/sync_time.h"
#include "analysis/text.h"

namespace nz::analysis {

void find_disk_saturation(const Context& context, const OrderPath& path,
                          std::vector<Candidate>& out) {
  const bool known = context.has_reference();
  for (const Disk& disk : disks(context)) {
    if (!disk.saturated(context)) continue;
    const Labels device{{"device", disk.device}};
    Candidate c = candidate("disk_saturation", path, "host disk " + disk.device);
    const bool slower = disk.slower(context).value_or(true);
    if (slower) c.claims = disk_claims(path, sync_time(context, path));
    c.finding.title = "Disk " + disk.device + " is saturated: busy " + percent_text(disk.busy) +
                      " of the time with " + number_text(disk.queue) +
                      " requests waiting or served";
    c.finding.evidence.push_back(
        evidence("nearzero_disk_busy_seconds_total", device, "busy", disk.busy,
                 known ? std::optional<double>(disk.busy_before) : std::nullopt, "ratio"));
    c.finding.evidence.push_back(
        evidence("nearzero_disk_queue_seconds_total", device, "requests in queue and service",
                 disk.queue, known ? std::optional<double>(disk.queue_before) : std::nullopt, ""));
    if (disk.latency > 0) {
      c.finding.evidence.push_back(evidence(
          "nearzero_block_io_duration_seconds", device, "mean of one request", disk.latency,
          disk.latency_before > 0 ? std::optional<double>(disk.latency_before) : std::nullopt,
          "seconds"));
    }
    c.finding.recommendation =
        "Find who writes or reads: iotop -obP or pidstat -d 1; nearzero trace block --by comm. "
        "Bound "
        "it: systemctl set-property UNIT IOWriteBandwidthMax=\"/dev/" +
        disk.device +
        " 20M\" (or IOWeight=10, ionice -c3), move backups out of trading hours, or give the "
        "database a disk of its own. A cloud volume may need more IOPS.";
    c.always = known;
    c.symptoms = {slower && disk.latency_before > 0, disk.busy >= 0.98};
    // Where requests take no longer, a slow sync has another cause (a throttle, a debugger).
    if (slower) c.explains.push_back({"slow_sync", 1});
    out.push_back(std::move(c));
    return;  // devices below others (dm, md, loop) are busy for the same requests
  }
}

}  // namespace nz::analysis
