// Orders wait for the disk: fsync and its kin above all.
#include "analysis/bottlenecks/disks.h"
#include "analysis/bottlenecks/kinds.h"
#include "analysis/bottlenecks/sync_time.h"
#include "analysis/text.h"

namespace nz::analysis {
namespace {

constexpr double kOrdersThatSync = 0.1;  // share; fewer are a checkpoint's

std::optional<double> if_known(bool known, double value) {
  return known ? std::optional<double>(value) : std::nullopt;
}

// Without a reference, a service that syncs each commit is not sick: only a slow sync is. Nor does
// a reference speak of syncs in which there was none: those of a checkpoint come once in many
// orders.
bool slow_by_itself(const Context& context, const OrderPath& path, const SyncTime& sync) {
  const bool unseen =
      !sync.family.empty() && sync.count_before == 0 && sync.count_now < kOrdersThatSync;
  if (path.comparable() && !unseen) return true;
  if (!sync.family.empty()) return sync.mean_now >= context.rules.slow_sync_seconds;
  for (const Disk& disk : disks(context)) {
    if (disk.latency >= context.rules.slow_sync_seconds) return true;
  }
  return false;
}

}  // namespace

void find_slow_sync(const Context& context, const OrderPath& path, std::vector<Candidate>& out) {
  const SyncTime sync = sync_time(context, path);
  Candidate c = candidate("slow_sync", path);
  c.claims = disk_claims(path, sync);
  double claimed = 0;
  for (const Claim& claim : c.claims) claimed += claim.seconds;
  if (!noticeable(context, path, claimed) || !slow_by_itself(context, path, sync)) return;
  const bool by_sync = sync.excess() >= 0.5 * claimed;
  const bool known = path.comparable();
  const bool more_often = known && by_sync && sync.mean_before > 0 &&
                          !grew(sync.mean_now, sync.mean_before, context.rules.growth);
  const std::string stage =
      in_stage(path, c.claims.empty() ? Component::disk : c.claims.front().component);
  if (by_sync) {
    c.finding.where = "fsync";
    c.finding.title = more_often ? "Orders wait for more syncs to disk than before" + stage
                                 : "Orders wait for slow syncs to disk" + stage + ": " +
                                       seconds_text(sync.mean_now) + " each";
    c.finding.evidence.push_back(evidence(sync.family, sync.labels, "mean of one sync",
                                          sync.mean_now, if_known(known, sync.mean_before),
                                          "seconds"));
    c.finding.evidence.push_back(evidence(sync.family, sync.labels, "syncs per order",
                                          sync.count_now, if_known(known, sync.count_before), ""));
  } else {
    c.finding.where = "disk";
    c.finding.title = "Orders wait for reads or writes of the disk" + stage;
  }
  bool device_slower = false;
  for (const Disk& disk : disks(context)) {
    if (disk.latency <= 0 || !disk.slower(context).value_or(false)) continue;
    device_slower = true;
    c.finding.evidence.push_back(evidence("nearzero_block_io_duration_seconds",
                                          {{"device", disk.device}}, "mean of one request",
                                          disk.latency, disk.latency_before, "seconds"));
    break;
  }
  c.finding.recommendation =
      more_often
          ? "Commit several orders in one transaction (BEGIN ... COMMIT), or with WAL set PRAGMA "
            "synchronous=NORMAL where the last commits may be lost at a power cut: then only "
            "checkpoints sync. Look for a change of PRAGMA synchronous or journal_mode."
          : "See which requests are slow: nearzero trace block --slower 5ms --by detail. Where the "
            "device is slow: a disk with power-loss protection (its syncs take tens of "
            "microseconds), its own volume for the database, no throttle (cgroup io.max, cloud "
            "IOPS limit), no antivirus or backup on it. In the service: PRAGMA journal_mode=WAL "
            "and synchronous=NORMAL, several orders per transaction, the sync off the order path.";
  c.symptoms = {by_sync && !more_often && sync.mean_now >= context.rules.slow_sync_seconds,
                device_slower};
  // A writer holds SQLite's lock while it syncs: others wait as long. Part of the busy time that
  // this can be: n - 1 others wait for one sync, but nobody waits longer than somebody syncs.
  const SyncTime busy = sqlite_wait(context, path, "busy");
  if (by_sync && busy.excess() > 0) {
    c.explains.push_back({"sqlite_writer_contention", sync.excess() / busy.excess()});
  }
  const SyncTime checkpoint = sqlite_wait(context, path, "checkpoint");
  if (by_sync && checkpoint.excess() > 0 && !more_often) {
    c.explains.push_back({"checkpoint_stall", sync.excess() / checkpoint.excess()});
  }
  out.push_back(std::move(c));
}

}  // namespace nz::analysis
