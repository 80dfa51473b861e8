// Segments are lost or late: TCP waits for its timer, and the order for its answer.
#include <algorithm>

#include "analysis/bottlenecks/cpu_use.h"
#include "analysis/bottlenecks/kinds.h"
#include "analysis/bottlenecks/network_scope.h"
#include "analysis/text.h"

namespace nz::analysis {
namespace {

constexpr const char* kRetransmits = "nearzero_tcp_retransmits_total";
constexpr const char* kRoundTrip = "nearzero_tcp_round_trip_seconds";

struct Loss {
  std::string family = kRetransmits;
  Labels labels;
  double count = 0, rate = 0, ratio = -1;  // ratio < 0: nobody counted the segments
};

// The target's own; those of its network where nobody counts by target.
Loss loss(const WindowIndex& window, const std::string& target, const NetworkScope& scope) {
  Loss l;
  l.labels = {{"target", target}};
  if (window.has(kRetransmits, l.labels)) {
    l.count = window.change(kRetransmits, l.labels);
    const double samples = window.count(kRoundTrip, l.labels);
    if (samples > 0) l.ratio = l.count / (samples + l.count);
  } else {
    l.family = scope.tcp_events;
    l.labels = scope.event("retransmits");
    l.count = window.change(scope.tcp_events, l.labels);
    const double sent = window.change(scope.tcp_events, scope.event("segments_out"));
    if (sent > 0) l.ratio = l.count / sent;
  }
  l.rate = window.seconds() > 0 ? l.count / window.seconds() : 0;
  return l;
}

// Of several, the one that sends most again.
const NetworkScope& lossiest(const WindowIndex& window, const std::vector<NetworkScope>& scopes) {
  return *std::max_element(scopes.begin(), scopes.end(),
                           [&](const NetworkScope& a, const NetworkScope& b) {
                             return window.change(a.tcp_events, a.event("retransmits")) <
                                    window.change(b.tcp_events, b.event("retransmits"));
                           });
}

// Drops and errors of the interfaces per second.
double dropped(const WindowIndex& window, const NetworkScope& scope) {
  return window.rate(scope.drops, scope.labels) + window.rate(scope.errors, scope.labels);
}

// Who gets no CPU acknowledges late, and is sent the same once more: a little of that is no loss.
bool acknowledges_late(const Context& context, const OrderPath& path) {
  const double throttled =
      context.now.rate("nearzero_target_throttled_seconds_total", {{"target", path.target()}});
  return processors(context, path).saturated || throttled >= context.rules.throttled_ratio;
}

}  // namespace

void find_network_loss(const Context& context, const OrderPath& path, std::vector<Candidate>& out) {
  const Rules& rules = context.rules;
  const std::vector<NetworkScope> scopes = network_scopes(context.now, path.target());
  const NetworkScope& scope = lossiest(context.now, scopes);
  const Loss now = loss(context.now, path.target(), scope);
  const Loss before = loss(context.before, path.target(), scope);
  const double least = context.has_reference() && !acknowledges_late(context, path)
                           ? rules.retransmit_ratio_grown
                           : rules.retransmit_ratio;
  const bool lost = now.count >= rules.least_retransmits &&
                    now.rate >= rules.retransmits_per_second &&
                    (now.ratio < 0 || now.ratio >= least) &&
                    grew(now.rate, before.rate, rules.retransmits_growth);
  const Labels target{{"target", path.target()}};
  const Histogram trip = context.now.histogram(kRoundTrip, target);
  const Histogram trip_before = context.before.histogram(kRoundTrip, target);
  bool late = false;
  if (trip.count() >= 20 && trip_before.count() >= 20) {
    // The median: delayed acknowledgements and idle connections sit in the tail of healthy ones.
    const double median = trip.quantile(0.5), earlier = trip_before.quantile(0.5);
    late = grew(median, earlier, rules.round_trip_growth) &&
           median - earlier >= rules.round_trip_added;
  }
  if (!lost && !late) return;

  Candidate c = candidate("network_loss", path);
  c.finding.where = "TCP connections of " + path.target();
  for (const Component component : {Component::network, Component::idle, Component::ipc}) {
    c.claims.push_back({component, path.excess(component)});
  }
  c.finding.title =
      lost ? "Segments are lost on the network: " + number_text(now.rate) +
                 " are sent again each second"
           : "The network has become slow: " + seconds_text(trip.quantile(0.5)) + " round trip";
  const bool known = context.has_reference();
  c.finding.evidence.push_back(evidence(now.family, now.labels, "segments sent again", now.rate,
                                        known ? std::optional<double>(before.rate) : std::nullopt,
                                        "per second"));
  if (now.ratio >= 0) {
    c.finding.evidence.push_back(evidence(
        now.family, now.labels, "of all segments", now.ratio,
        known && before.ratio >= 0 ? std::optional<double>(before.ratio) : std::nullopt, "ratio"));
  }
  if (trip.count() > 0) {
    c.finding.evidence.push_back(evidence(
        kRoundTrip, target, "median round trip", trip.quantile(0.5),
        trip_before.count() > 0 ? std::optional<double>(trip_before.quantile(0.5)) : std::nullopt,
        "seconds"));
  }
  bool at_interface = false;
  for (const NetworkScope& each : scopes) {
    const double drops = dropped(context.now, each);
    const double drops_before = dropped(context.before, each);
    if (drops < 1 || !grew(drops, drops_before, rules.growth)) continue;
    at_interface = true;
    c.finding.evidence.push_back(
        evidence(each.drops, each.labels, "drops and errors of interfaces", drops,
                 known ? std::optional<double>(drops_before) : std::nullopt, "per second"));
  }
  c.finding.recommendation =
      "See to whom: nearzero trace tcp -p PID --by detail; ss -tinp shows retrans and rtt of each "
      "connection. Where the interface drops: ethtool -S IF, ring size (ethtool -G), a policer or "
      "nft/tc rule (nft list ruleset, tc -s qdisc). Otherwise ask the network or the venue; mtr "
      "-T -P PORT HOST shows the hop. TCP_NODELAY, and tcp_thin_linear_timeouts=1 for thin "
      "order flows, shorten what a loss costs.";
  c.always = lost || (late && known);
  c.least_severity = lost ? Severity::warning : Severity::info;
  c.symptoms = {lost, late, at_interface};
  c.explains.push_back({"slow_dependency", 1});
  out.push_back(std::move(c));
}

}  // namespace nz::analysis
