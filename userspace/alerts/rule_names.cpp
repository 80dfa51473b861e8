// Names that rules may use.
#include "userspace/alerts/rule_reader.h"
#include "userspace/alerts/rule_values.h"

namespace nz::alerts {

std::vector<std::string> template_names(const std::string& kind) {
  Strings names = {"rule", "severity", "since", "value", "host", "cause", "recommendation"};
  if (kind == "threshold" || kind == "ratio" || kind == "resource" || kind == "absence") {
    add_once(names, {"quantity", "limit", "window"});
  } else if (kind == "degradation") {
    add_once(names, {"quantity", "usual", "factor", "baseline", "window"});
  } else if (kind == "regression") {
    add_once(names, {"quantity", "before", "after", "change", "confidence", "earliest", "latest",
                     "quantiles", "events"});
  } else if (kind == "anomaly") {
    add_once(names, {"quantity", "expected", "score", "members", "events"});
  } else if (kind == "bottleneck") {
    add_once(names, {"title", "where", "impact", "confidence", "evidence"});
  } else if (kind == "forecast") {
    add_once(names,
             {"quantity", "now", "limit", "left", "per_day", "earliest", "likeliest", "latest"});
  } else if (kind == "burn_rate") {
    add_once(names, {"quantity", "objective", "burn", "short_burn", "limit", "window", "short"});
  }
  return names;
}

const std::vector<std::string>& bottleneck_kinds() {
  static const Strings kinds = {
      "cpu_saturation",  "noisy_neighbour",  "cpu_quota",       "cpu_steal",
      "fork_storm",      "own_code",         "lock_contention", "slow_sync",
      "disk_saturation", "filesystem_full",  "sqlite_opens",    "sqlite_writer_contention",
      "slow_statement",  "checkpoint_stall", "wal_growth",      "long_transaction",
      "page_faults",     "memory_pressure",  "network_loss",    "listen_overflow",
      "fd_exhaustion",   "slow_dependency",  "disk_errors"};
  return kinds;
}

}  // namespace nz::alerts
