#include "analysis/bottlenecks/candidate.h"

#include <utility>

#include "analysis/text.h"

namespace nz::analysis {

Candidate candidate(std::string kind, const OrderPath& path, const std::string& place) {
  Candidate c;
  c.finding.kind = std::move(kind);
  c.finding.target = path.target();
  c.finding.where = place;
  c.finding.id = c.finding.kind + "/" + path.target() + (place.empty() ? "" : "/" + place);
  return c;
}

std::string in_stage(const OrderPath& path, Component component) {
  const std::string stage = path.worst_stage(component);
  return stage.empty() ? stage : " in " + stage;
}

std::string per_order_text(const OrderPath& path, double now, double before) {
  const bool known = path.comparable();
  if (!path.from_stages()) {
    return percent_text(path.share(now)) + " of the time in which it has work" +
           (known
                ? " (before: " +
                      percent_text(path.before().seconds > 0 ? before / path.before().seconds : 0) +
                      ")"
                : "");
  }
  return seconds_text(now) + " of " + seconds_text(path.now().seconds) + " per order" +
         (known ? " (before: " + seconds_text(before) + " of " +
                      seconds_text(path.before().seconds) + ")"
                : "");
}

bool noticeable(const Context& context, const OrderPath& path, double seconds_per_order) {
  const Rules& rules = context.rules;
  if (!path.usable()) return false;
  const double share = path.share(seconds_per_order);
  if (!path.comparable()) return share >= rules.least_impact_alone;
  if (share >= rules.least_impact) return true;
  const double healthy = path.before().seconds;
  return share >= rules.least_impact_beside &&
         seconds_per_order >= rules.least_of_healthy * (healthy + seconds_per_order);
}

bool grew(double now, double before, double factor) { return now > 0 && now >= before * factor; }

}  // namespace nz::analysis
