// Orders wait for another process (a peer over the network, a pipe, an event) longer than before,
// and nothing of this host says why: the cause is over there.
#include "analysis/bottlenecks/kinds.h"
#include "analysis/text.h"

namespace nz::analysis {

void find_slow_dependency(const Context& context, const OrderPath& path,
                          std::vector<Candidate>& out) {
  // Without a reference nobody knows how long the answer should take; without stages, whether
  // this was the wait for an answer or for the next order.
  if (!path.comparable() || !path.from_stages()) return;
  Candidate c = candidate("slow_dependency", path);
  double wait = 0;
  Component worst = Component::network;
  for (const Component component : {Component::network, Component::ipc, Component::idle}) {
    const double excess = path.excess(component);
    if (excess > path.excess(worst)) worst = component;
    wait += excess;
    c.claims.push_back({component, excess});
  }
  if (!noticeable(context, path, wait) ||
      !grew(path.now().parts[worst], path.before().parts[worst], context.rules.growth)) {
    return;
  }
  c.residual = true;
  const std::string stage = path.worst_stage(worst);
  c.finding.where = stage.empty() ? "peer" : stage;
  c.finding.title = "Orders wait longer for another process' answer" + in_stage(path, worst);
  c.finding.evidence.push_back(evidence(
      "nearzero_offcpu_seconds",
      {{"target", path.target()}, {"reason", std::string(component_name(worst))}}, "blocked",
      context.now.sum_seconds(
          "nearzero_offcpu_seconds",
          {{"target", path.target()}, {"reason", std::string(component_name(worst))}}) /
          context.now.seconds(),
      context.before.sum_seconds(
          "nearzero_offcpu_seconds",
          {{"target", path.target()}, {"reason", std::string(component_name(worst))}}) /
          context.before.seconds(),
      "seconds per second"));
  c.finding.recommendation =
      "Find the call and the peer: nearzero trace offcpu -p PID --by syscall, nearzero trace tcp "
      "-p "
      "PID --by detail. Then look at that service (make it a target of nearzero where it runs "
      "here); until it is healthy, a timeout or doing the call beside the order helps.";
  out.push_back(std::move(c));
}

}  // namespace nz::analysis
