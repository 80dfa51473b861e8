// Connections are turned away because nobody accepts them in time. USE: errors of a listening
// socket.
#include "analysis/bottlenecks/kinds.h"
#include "analysis/bottlenecks/network_scope.h"
#include "analysis/text.h"

namespace nz::analysis {

void find_listen_overflow(const Context& context, const OrderPath& path,
                          std::vector<Candidate>& out) {
  for (const NetworkScope& scope : network_scopes(context.now, path.target())) {
    const Labels overflow = scope.event("listen_overflows");
    const double now = context.now.change(scope.tcp_events, overflow);
    const double before = context.before.rate(scope.tcp_events, overflow);
    const double rate = context.now.rate(scope.tcp_events, overflow);
    if (now < context.rules.listen_overflows || !grew(rate, before, context.rules.growth)) continue;
    // What begins with "host " is told once for all targets.
    Candidate c =
        candidate("listen_overflow", path,
                  scope.own ? "listening sockets of " + path.target() : "host listening sockets");
    c.finding.title = "Connections are turned away: a listening socket's queue is full";
    c.finding.evidence.push_back(evidence(
        scope.tcp_events, overflow, "overflows", rate,
        context.has_reference() ? std::optional<double>(before) : std::nullopt, "per second"));
    c.finding.recommendation =
        std::string(scope.own ? "nsenter -t PID -n ss -ltn" : "ss -ltn") +
        " shows the socket: Recv-Q at its Send-Q. Accept faster (a thread that only accepts), "
        "raise the backlog of listen() and net.core.somaxconn=4096" +
        (scope.own ? ", which each network namespace has of its own" : "") +
        "; find what holds the accepting thread up: nearzero trace offcpu -p PID --by tid.";
    c.always = true;
    c.least_severity = Severity::warning;
    out.push_back(std::move(c));
  }
}

}  // namespace nz::analysis
