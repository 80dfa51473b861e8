// Connections are turned away because nobody accepts them in time. USE: errors of a listening
// socket.
#include "analysis/bottlenecks/kinds.h"
#include "analysis/text.h"

namespace nz::analysis {

void find_listen_overflow(const Context& context, const OrderPath& path,
                          std::vector<Candidate>& out) {
  constexpr const char* kEvents = "nearzero_tcp_events_total";
  const Labels overflow{{"event", "listen_overflows"}};
  const double now = context.now.change(kEvents, overflow);
  const double before = context.before.rate(kEvents, overflow);
  const double rate = context.now.rate(kEvents, overflow);
  if (now < context.rules.listen_overflows || !grew(rate, before, context.rules.growth)) return;
  Candidate c = candidate("listen_overflow", path, "host listening sockets");
  c.finding.title = "Connections are turned away: a listening socket's queue is full";
  c.finding.evidence.push_back(evidence(
      kEvents, overflow, "overflows", rate,
      context.has_reference() ? std::optional<double>(before) : std::nullopt, "per second"));
  c.finding.recommendation =
      "ss -ltn shows the socket: Recv-Q at its Send-Q. Accept faster (a thread that only accepts), "
      "raise the backlog of listen() and net.core.somaxconn=4096; find what holds the accepting "
      "thread up: nearzero trace offcpu -p PID --by tid.";
  c.always = true;
  c.least_severity = Severity::warning;
  out.push_back(std::move(c));
}

}  // namespace nz::analysis
