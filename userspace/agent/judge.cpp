#include "userspace/agent/judge.h"

#include <algorithm>
#include <map>
#include <utility>

namespace nz::agent {
namespace {

bool is_open(const analysis::Finding& finding) {
  return finding.state != analysis::FindingState::resolved;
}

}  // namespace

// What is normal ends where the oldest finding that is still there began: an incident never becomes
// its own reference.
void Judge::refresh_reference(const history::History& history, double now) {
  if (now - reference_at_ < options_.reference_age && now >= reference_at_) return;
  double end = now - options_.window;
  for (const analysis::Finding& finding : findings_) {
    if (is_open(finding)) end = std::min(end, finding.since - options_.window);
  }
  reference_ = history.window(end - options_.reference, end);
  reference_at_ = now;
}

analysis::FindingLedger::Changes Judge::step(const history::History& history, double now,
                                             const std::function<analysis::Details()>& details) {
  if (now - last_ < options_.every && now >= last_) return {};
  last_ = now;
  const analysis::Window window = history.window(now - options_.window, now);
  if (window.seconds() < rules_.least_seconds) return {};
  refresh_reference(history, now);
  auto changes =
      ledger_.observe(analysis::find_bottlenecks(window, reference_, details(), rules_), now);
  findings_ = ledger_.findings();
  return changes;
}

void Judge::collect(std::vector<metrics::Family>& out) const {
  metrics::Family impact{"nearzero_bottleneck_impact_ratio",
                         "Share of an order's time that an open finding costs, by target and kind.",
                         metrics::Type::gauge,
                         {}};
  std::map<std::pair<std::string, std::string>, double> largest;
  for (const analysis::Finding& finding : findings_) {
    if (!is_open(finding)) continue;
    double& value = largest[{finding.target, finding.kind}];
    value = std::max(value, finding.impact);
  }
  for (const auto& [key, value] : largest)
    impact.samples.push_back({{{"target", key.first}, {"kind", key.second}}, value, nullptr});
  out.push_back(std::move(impact));
  out.push_back({"nearzero_bottlenecks_dropped_total",
                 "Findings beyond those that are kept.",
                 metrics::Type::counter,
                 {{{}, static_cast<double>(ledger_.dropped()), nullptr}}});
}

}  // namespace nz::agent
