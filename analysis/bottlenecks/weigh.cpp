#include "analysis/bottlenecks/weigh.h"

#include <algorithm>
#include <cstddef>
#include <map>

#include "analysis/finding_order.h"
#include "analysis/text.h"

namespace nz::analysis {
namespace {

constexpr std::size_t kNobody = static_cast<std::size_t>(-1);

// Longest chain of "explains" that is followed: no kind explains itself, and the table of
// docs/bottlenecks.md has no longer one.
constexpr int kLongestChain = 4;

double part_explained(const Candidate& cause, const Candidate& effect) {
  double part = 0;
  if (cause.finding.kind == effect.finding.kind) return 0;
  for (const Explains& e : cause.explains) {
    if (e.kind == effect.finding.kind) part = std::max(part, e.part);
  }
  return std::min(part, 1.0);
}

// `from` is explained, by however many steps, by `to`: explaining `to` by it would be a circle.
bool leads_to(const std::vector<std::size_t>& cause, std::size_t from, std::size_t to) {
  for (int i = 0; i < kLongestChain && from != kNobody; i++) {
    if (from == to) return true;
    from = cause[from];
  }
  return false;
}

// An effect that somebody explains; its claims go to him, and what it explained he explains too.
void leave_out_effects(const OrderPath& path, std::vector<Candidate>& candidates,
                       const Rules& rules) {
  std::vector<std::size_t> cause(candidates.size(), kNobody);
  for (std::size_t effect = 0; effect < candidates.size(); effect++) {
    double most = rules.explained;
    for (std::size_t c = 0; c < candidates.size(); c++) {
      const double part = part_explained(candidates[c], candidates[effect]);
      if (part < most || leads_to(cause, c, effect)) continue;
      most = part;
      cause[effect] = c;
    }
  }
  for (std::size_t effect = 0; effect < candidates.size(); effect++) {
    std::size_t heir = cause[effect];
    if (heir == kNobody) continue;
    for (int i = 0; i < kLongestChain && cause[heir] != kNobody; i++) heir = cause[heir];
    auto& claims = candidates[heir].claims;
    for (const Claim& claim : candidates[effect].claims) {
      const auto mine = std::find_if(claims.begin(), claims.end(), [&](const Claim& c) {
        return c.component == claim.component;
      });
      if (mine == claims.end()) {
        claims.push_back(claim);
      } else {
        mine->seconds = std::min(mine->seconds + claim.seconds,
                                 std::max(mine->seconds, path.excess(claim.component)));
      }
    }
    candidates[heir].ahead = std::max(candidates[heir].ahead, candidates[effect].ahead);
    candidates[heir].failed = std::max(candidates[heir].failed, candidates[effect].failed);
    candidates[heir].finding.evidence.insert(candidates[heir].finding.evidence.end(),
                                             candidates[effect].finding.evidence.begin(),
                                             candidates[effect].finding.evidence.end());
  }
  std::vector<Candidate> kept;
  for (std::size_t i = 0; i < candidates.size(); i++) {
    if (cause[i] == kNobody) kept.push_back(std::move(candidates[i]));
  }
  candidates = std::move(kept);
}

// Cuts claims to what each part has, the residual ones to what the others leave.
void settle_claims(const OrderPath& path, std::vector<Candidate>& candidates) {
  std::map<Component, double> left;
  for (std::size_t i = 0; i < kComponents; i++) {
    const auto component = static_cast<Component>(i);
    left[component] = path.comparable() ? path.excess(component) : path.now().parts[component];
    if (!path.usable()) left[component] = 0;
  }
  for (const bool residual : {false, true}) {
    std::map<Component, double> wanted;
    for (const Candidate& c : candidates) {
      if (c.residual != residual) continue;
      for (const Claim& claim : c.claims) wanted[claim.component] += std::max(0.0, claim.seconds);
    }
    for (Candidate& c : candidates) {
      if (c.residual != residual) continue;
      for (Claim& claim : c.claims) {
        const double all = wanted[claim.component];
        const double cut = all > left[claim.component] ? left[claim.component] / all : 1;
        claim.seconds = std::max(0.0, claim.seconds) * cut;
      }
    }
    for (const auto& [component, seconds] : wanted) {
      left[component] = std::max(0.0, left[component] - seconds);
    }
  }
}

double confidence(const OrderPath& path, const Candidate& c) {
  double sure = path.comparable() ? 0.6 : 0.4;
  for (const bool symptom : c.symptoms) {
    if (symptom) sure += 0.12;
  }
  if (c.always) sure = std::max(sure, c.least_confidence);
  if (!path.from_stages()) sure *= 0.7;
  return std::min(sure, 0.95);
}

Severity severity(const Candidate& c, double impact, const Rules& rules) {
  Severity s = Severity::info;
  if (impact >= rules.least_impact) s = Severity::warning;
  if (impact >= rules.critical_impact) s = Severity::critical;
  return std::max(s, c.least_severity);
}

Evidence evidence_of(const OrderPath& path, Component component) {
  const std::string name(component_name(component));
  const double now = path.now().parts[component];
  Evidence e;
  if (path.from_stages()) {
    e.series = selector("nearzero_order_stage_component_seconds_total",
                        {{"target", path.target()}, {"component", name}});
  } else if (component == Component::runnable) {
    e.series = selector("nearzero_runqueue_latency_seconds", {{"target", path.target()}});
  } else {
    e.series = selector("nearzero_offcpu_seconds", {{"target", path.target()}, {"reason", name}});
  }
  e.text = name + ": " + per_order_text(path, now, path.before().parts[component]);
  e.value = path.from_stages() ? now : path.share(now);
  e.unit = path.from_stages() ? "seconds" : "ratio";
  return e;
}

// A single stall is an incident, not a bottleneck. Where a duty cycle has seen it in a small part
// of the window, the scheduler, which misses none, says whether there were more.
bool happens_often(const OrderPath& path, const Candidate& c, double seconds, const Rules& rules) {
  const double least = rules.least_events * path.now().longest;
  if (seconds * path.now().orders >= least) return true;
  if (path.now().observed >= rules.sampled) return false;
  double beyond = 0;
  for (const Claim& claim : c.claims) {
    if (claim.seconds > 0) beyond += path.beyond(claim.component);
  }
  return beyond >= least;
}

}  // namespace

std::vector<Finding> weigh(const Context& context, const OrderPath& path,
                           std::vector<Candidate> candidates) {
  const Rules& rules = context.rules;
  leave_out_effects(path, candidates, rules);
  settle_claims(path, candidates);
  std::vector<Finding> findings;
  for (Candidate& c : candidates) {
    double seconds = 0;
    for (const Claim& claim : c.claims) seconds += claim.seconds;
    const bool several = happens_often(path, c, seconds, rules);
    double impact = several ? std::min(path.share(seconds), 1.0) : 0;
    const bool felt =
        noticeable(context, path, several ? seconds : 0) && seconds >= c.least_seconds;
    const double standing = path.usable() ? c.standing : 0;
    if (!felt && !c.always && standing <= 0 && c.ahead <= 0) continue;
    if (c.ahead > 0) impact = (c.ahead + (several ? seconds : 0)) / (c.ahead + path.now().seconds);
    impact = std::max({impact, std::min(c.failed, 1.0), std::min(path.share(standing), 1.0)});
    Finding f = std::move(c.finding);
    f.impact = impact;
    f.impact_seconds = path.from_stages() ? std::max(several ? seconds : 0, standing) + c.ahead : 0;
    f.severity = severity(c, impact, rules);
    f.confidence = confidence(path, c);
    f.from = context.now.window().from;
    f.to = context.now.window().to;
    std::vector<Evidence> of_orders;
    for (const Claim& claim : c.claims) {
      if (path.share(claim.seconds) >= 0.02)
        of_orders.push_back(evidence_of(path, claim.component));
    }
    f.evidence.insert(f.evidence.begin(), of_orders.begin(), of_orders.end());
    findings.push_back(std::move(f));
  }
  return findings;
}

void rank(std::vector<Finding>& findings) { std::sort(findings.begin(), findings.end(), costlier); }

}  // namespace nz::analysis
