// Threads of the target are blocked by a lock: futex (mutexes), flock, fcntl.
#include "analysis/bottlenecks/kinds.h"
#include "analysis/text.h"

namespace nz::analysis {

void find_lock_contention(const Context& context, const OrderPath& path,
                          std::vector<Candidate>& out) {
  const double wait = path.excess(Component::lock);
  if (!noticeable(context, path, wait)) return;
  const double before = path.before().parts[Component::lock];
  if (path.comparable() && !grew(path.now().parts[Component::lock], before, context.rules.growth)) {
    return;
  }
  Candidate c = candidate("lock_contention", path);
  const std::string stage = path.worst_stage(Component::lock);
  c.finding.where = stage.empty() ? "locks" : stage;
  c.claims.push_back({Component::lock, wait});
  c.finding.title = "Orders wait for a lock" + in_stage(path, Component::lock);
  const Labels off{{"target", path.target()}, {"reason", "lock"}};
  const Histogram now = context.now.histogram("nearzero_offcpu_seconds", off);
  const Histogram earlier = context.before.histogram("nearzero_offcpu_seconds", off);
  const bool known = context.has_reference();
  if (now.count() > 0) {
    c.finding.evidence.push_back(
        evidence("nearzero_offcpu_seconds", off, "p99 of one wait", now.quantile(0.99),
                 earlier.count() > 0 ? std::optional<double>(earlier.quantile(0.99)) : std::nullopt,
                 "seconds"));
    const double rate = static_cast<double>(now.count()) / context.now.seconds();
    c.finding.evidence.push_back(evidence(
        "nearzero_offcpu_seconds", off, "waits", rate,
        known
            ? std::optional<double>(static_cast<double>(earlier.count()) / context.before.seconds())
            : std::nullopt,
        "per second"));
  }
  c.finding.recommendation =
      "See which lock and who waits: nearzero trace futex -p PID --by detail, and --slower " +
      (now.count() > 0 ? std::to_string(static_cast<long>(now.quantile(0.5) * 1e6) + 1) + "us"
                       : std::string("1ms")) +
      " for stacks. Then hold it shorter (no I/O, logging or allocation inside), split it by "
      "symbol or account, or hand the data over through a queue. A thread that sleeps or waits for "
      "the disk with the lock held shows in: nearzero trace offcpu -p PID --slower 1ms.";
  c.symptoms = {now.count() >= 10, path.from_stages() && !stage.empty()};
  out.push_back(std::move(c));
}

}  // namespace nz::analysis
