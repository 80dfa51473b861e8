#include "analysis/bottlenecks/find.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <set>
#include <utility>

#include "analysis/bottlenecks/kinds.h"
#include "analysis/bottlenecks/weigh.h"

namespace nz::analysis {
namespace {

struct NamedRule {
  const char* kind;
  Rule find;
};

constexpr std::array<NamedRule, 23> kRules = {{
    {"checkpoint_stall", find_checkpoint_stall},
    {"cpu_quota", find_cpu_quota},
    {"cpu_saturation", find_cpu_saturation},
    {"cpu_steal", find_cpu_steal},
    {"disk_errors", find_disk_errors},
    {"disk_saturation", find_disk_saturation},
    {"fd_exhaustion", find_fd_exhaustion},
    {"filesystem_full", find_filesystem_full},
    {"fork_storm", find_fork_storm},
    {"listen_overflow", find_listen_overflow},
    {"lock_contention", find_lock_contention},
    {"long_transaction", find_long_transaction},
    {"memory_pressure", find_memory_pressure},
    {"network_loss", find_network_loss},
    {"noisy_neighbour", find_noisy_neighbour},
    {"own_code", find_own_code},
    {"page_faults", find_page_faults},
    {"slow_dependency", find_slow_dependency},
    {"slow_statement", find_slow_statement},
    {"slow_sync", find_slow_sync},
    {"sqlite_opens", find_sqlite_opens},
    {"sqlite_writer_contention", find_sqlite_writer_contention},
    {"wal_growth", find_wal_growth},
}};

// Whoever has figures of his own. "host" and "other" are nobody's service; where there is no
// target at all the host is looked at as one.
std::vector<std::string> targets_of(const WindowIndex& window) {
  std::set<std::string> names;
  for (const char* family : {"nearzero_order_stage_duration_seconds",
                             "nearzero_oncpu_slice_seconds", "nearzero_target_cpu_seconds_total",
                             "nearzero_sqlite_wait_seconds", "nearzero_target_open_files"}) {
    for (std::string& name : window.values_of(family, "target")) names.insert(std::move(name));
  }
  names.erase("host");
  names.erase("other");
  names.erase("");
  if (names.empty()) names.insert("host");
  return {names.begin(), names.end()};
}

// A resource of the host troubles everybody. Where no order feels it, once is enough.
void leave_out_repeated(std::vector<Finding>& findings) {
  std::set<std::pair<std::string, std::string>> told;
  std::erase_if(findings, [&](const Finding& f) {
    if (!f.where.starts_with("host ")) return false;
    const bool fresh = told.emplace(f.kind, f.where).second;
    return !fresh && f.impact == 0;
  });
}

}  // namespace

std::vector<Finding> find_bottlenecks(const Window& now, const Window& reference,
                                      const Details& details, const Rules& rules) {
  const WindowIndex index(now);
  const WindowIndex before(reference);
  if (index.seconds() < rules.least_seconds) return {};
  std::vector<Finding> findings;
  for (const std::string& target : targets_of(index)) {
    const OrderPath path(target, index, before, rules);
    const Context context{index, before, details, rules};
    std::vector<Candidate> candidates;
    for (const NamedRule& rule : kRules) rule.find(context, path, candidates);
    auto found = weigh(context, path, std::move(candidates));
    findings.insert(findings.end(), std::make_move_iterator(found.begin()),
                    std::make_move_iterator(found.end()));
  }
  rank(findings);
  leave_out_repeated(findings);
  return findings;
}

std::vector<std::string> bottleneck_kinds() {
  std::vector<std::string> kinds;
  for (const NamedRule& rule : kRules) kinds.emplace_back(rule.kind);
  return kinds;
}

}  // namespace nz::analysis
