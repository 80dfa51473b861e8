#include "analysis/baseline/held_out.h"

#include <algorithm>
#include <limits>

namespace nz::analysis {

bool overlaps(std::span<const TimeRange> ranges, double from, double to) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const TimeRange& r) { return r.from < to && r.to > from; });
}

std::vector<TimeRange> held_out(const std::string& name, const Labels& labels,
                                std::span<const Regression> regressions,
                                std::span<const Incident> incidents,
                                std::span<const Finding> findings, double adopt_seconds) {
  std::vector<TimeRange> ranges;
  const auto add = [&](double since, double until) {
    const double end = until > 0 ? until : std::numeric_limits<double>::infinity();
    ranges.push_back({since, std::min(end, since + adopt_seconds)});
  };
  const auto is_it = [&](const Quantity& of) { return of.name == name && of.labels == labels; };
  for (const Regression& r : regressions) {
    if (is_it(r.of)) add(r.earliest > 0 ? r.earliest : r.since, r.until);
  }
  for (const Incident& incident : incidents) {
    if (std::any_of(incident.members.begin(), incident.members.end(),
                    [&](const Anomaly& a) { return is_it(a.of); }))
      add(incident.since, incident.until);
  }
  for (const Finding& f : findings) {
    const bool its_own = f.target == "host" || has_labels(labels, {{"target", f.target}});
    if (f.severity != Severity::info && its_own) add(f.since, f.until);
  }
  return ranges;
}

}  // namespace nz::analysis
