#include "analysis/bottlenecks/wait_ahead.h"

#include <algorithm>

#include "analysis/text.h"

namespace nz::analysis {
namespace {

constexpr const char* kRunqueueWait = "nearzero_runqueue_latency_seconds";

// Of all threads: those that take no orders are in it, so it is told only where it is much.
double outside_of_stages(const WindowIndex& window, const std::string& target,
                         const PathTime& path) {
  if (window.seconds() <= 0 || path.orders_per_second <= 0) return 0;
  const double waited = window.sum_seconds(kRunqueueWait, {{"target", target}}) / window.seconds();
  return std::max(0.0, waited / path.orders_per_second - path.parts[Component::runnable]);
}

}  // namespace

double wait_ahead(const Context& context, const OrderPath& path) {
  if (!path.from_stages() || !path.comparable()) return 0;
  const double now = outside_of_stages(context.now, path.target(), path.now());
  const double before = outside_of_stages(context.before, path.target(), path.before());
  const double longer = now - before;
  const bool much = longer >= context.rules.least_wait_ahead * (path.now().seconds + longer);
  return much && grew(now, before, context.rules.growth) ? longer : 0;
}

void add_wait_ahead(const Context& context, const OrderPath& path, double seconds, Candidate& c) {
  if (seconds <= 0) return;
  c.ahead = seconds;
  c.finding.evidence.push_back(
      evidence(kRunqueueWait, {{"target", path.target()}}, "wait for a CPU before its first stage",
               outside_of_stages(context.now, path.target(), path.now()),
               outside_of_stages(context.before, path.target(), path.before()), "seconds"));
}

}  // namespace nz::analysis
