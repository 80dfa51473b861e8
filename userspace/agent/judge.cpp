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

// Where all of the past was disturbed, the last reference stays: nobody knows anything newer. So it
// does after a restart, until memory reaches back far enough for another one. A young one is made
// anew, which makes it longer, when it has grown by a quarter.
void Judge::refresh_reference(const history::History& history, double now) {
  const double age = std::min(options_.reference_age, reference_.seconds() / 4);
  if (now - reference_at_ < age && now >= reference_at_) return;
  const double longest = options_.window + history.resolution() / 2;  // it ends at points
  analysis::UndisturbedOptions options;
  options.length = options_.reference;
  options.window = longest;
  options.least_impact = rules_.least_impact;
  std::vector<analysis::Finding> disturbances = ledger_.pending();
  disturbances.insert(disturbances.end(), findings_.begin(), findings_.end());
  if (const auto normal = analysis::undisturbed(disturbances, now - longest, options)) {
    analysis::Window known = history.window(normal->from, normal->to);
    if (known.seconds() >= std::min(options.least, reference_.seconds()))
      reference_ = std::move(known);
  }
  reference_at_ = now;
}

analysis::FindingLedger::Changes Judge::step(const history::History& history, double now,
                                             const analysis::Details& details) {
  if (!due(now)) return {};
  last_ = now;
  const analysis::Window window = history.window(now - options_.window, now);
  if (window.seconds() < rules_.least_seconds) return {};
  refresh_reference(history, now);
  auto changes =
      ledger_.observe(analysis::find_bottlenecks(window, reference_, details, rules_), now);
  findings_ = ledger_.findings();
  return changes;
}

// Until the first minute without a finding, history in memory knows nothing that is normal. Where
// all has ended, memory makes a reference of its own: that of before may be days old.
analysis::FindingLedger::Changes Judge::restore(
    const std::vector<analysis::FindingLedger::Open>& known, double seen, double now,
    analysis::Window reference) {
  auto changes = ledger_.restore(known, seen, now);
  findings_ = ledger_.findings();
  if (any_open()) reference_ = std::move(reference);
  return changes;
}

bool Judge::any_open() const { return !findings_.empty() && is_open(findings_.front()); }

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
