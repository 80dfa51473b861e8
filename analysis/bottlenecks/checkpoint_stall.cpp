// The commit that fills the WAL copies it into the database, and its order waits for that.
#include <algorithm>

#include "analysis/bottlenecks/kinds.h"
#include "analysis/bottlenecks/sync_time.h"
#include "analysis/text.h"

namespace nz::analysis {

void find_checkpoint_stall(const Context& context, const OrderPath& path,
                           std::vector<Candidate>& out) {
  const SyncTime stall = sqlite_wait(context, path, "checkpoint");
  if (stall.family.empty()) return;
  Candidate c = candidate("checkpoint_stall", path);
  c.claims = claim_from(path, stall.excess(),
                        {Component::disk, Component::other, Component::sleep, Component::running});
  double claimed = 0;
  for (const Claim& claim : c.claims) claimed += claim.seconds;
  if (!noticeable(context, path, claimed)) return;
  if (path.comparable() && !grew(stall.now, stall.before, context.rules.growth)) return;
  const Histogram now = context.now.histogram(stall.family, stall.labels);
  const Histogram before = context.before.histogram(stall.family, stall.labels);
  c.finding.where = "WAL checkpoint";
  c.finding.title =
      "Orders wait for checkpoints of the WAL: " + seconds_text(stall.mean_now) + " each";
  const bool known = before.count() > 0;
  c.finding.evidence.push_back(
      evidence(stall.family, stall.labels, "mean of one checkpoint", stall.mean_now,
               known ? std::optional<double>(stall.mean_before) : std::nullopt, "seconds"));
  c.finding.evidence.push_back(
      evidence(stall.family, stall.labels, "longest checkpoint", now.quantile(1),
               known ? std::optional<double>(before.quantile(1)) : std::nullopt, "seconds"));
  c.finding.recommendation =
      "Checkpoint beside the order path: PRAGMA wal_autocheckpoint=0 on the connections of the "
      "orders and a thread of its own that runs PRAGMA wal_checkpoint(PASSIVE) every second; or "
      "smaller steps with PRAGMA wal_autocheckpoint=200. A slow disk makes checkpoints slow: see "
      "slow_sync.";
  c.symptoms = {now.count() >= 3};
  // The checkpoint's own writes and syncs wait for the same disk. After it the log begins anew, and
  // the commit that begins it syncs its header: one more, outside of the checkpoint.
  const SyncTime sync = sqlite_wait(context, path, "sync");
  const bool as_slow_as_before =
      path.comparable() && !grew(sync.mean_now, sync.mean_before, context.rules.growth);
  if (as_slow_as_before) {
    c.explains.push_back(
        {"slow_sync", sync.excess() > 0 ? std::min(1.0, stall.excess() / sync.excess()) : 1});
  }
  out.push_back(std::move(c));
}

}  // namespace nz::analysis
