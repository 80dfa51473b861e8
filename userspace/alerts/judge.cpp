#include "userspace/alerts/judge.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/text.h"
#include "userspace/alerts/alert.h"
#include "userspace/alerts/judge_parts.h"

namespace nz::alerts {
namespace {

using analysis::FindingState;

Verdict nobody(const char* what) {
  Verdict verdict;
  verdict.known = false;
  verdict.unknown = std::string("nobody looks for ") + what;
  return verdict;
}

/// Others than those in the list may have been open.
void note_gap(const std::string& why, Verdict& verdict) {
  if (why.empty()) return;
  verdict.known = false;
  verdict.unknown = why;
}

/// What a rule asks of a finding besides its target, kind and impact: "severity, confidence".
std::string asked_besides(const BottleneckFound& condition) {
  std::string asked;
  const auto add = [&asked](bool asks, const char* what) {
    if (asks) asked += (asked.empty() ? "" : ", ") + std::string(what);
  };
  add(condition.severity_as_found || condition.least_severity != Severity::info, "severity");
  add(condition.least_confidence > 0, "confidence");
  add(std::any_of(condition.where.begin(), condition.where.end(),
                  [](const Matcher& matcher) { return matcher.label == "where"; }),
      "place");
  return asked;
}

/// The conditions on what is known of a finding of which nobody knows the place.
Matchers without_place(Matchers where) {
  std::erase_if(where, [](const Matcher& matcher) { return matcher.label == "where"; });
  return where;
}

/// Of the open findings, which are the costliest first, the first one about this target or about
/// the host; for an alert about the host, the first one about a resource of the host.
void add_cause(Observation& observation, const Judging& with) {
  const auto* findings = with.facts.findings();
  if (findings == nullptr || observation.fields.contains("cause")) return;
  const std::string_view target = value_of(observation.labels, "target");
  const bool of_host = target.empty() || target == "host";
  for (const analysis::Finding& f : *findings) {
    if (f.state == FindingState::resolved) continue;
    const bool about_host = f.target == "host" || f.where.starts_with("host ");
    if (of_host ? !about_host : f.target != target && f.target != "host") continue;
    observation.fields["cause"] = f.title;
    observation.fields["recommendation"] = f.recommendation;
    return;
  }
}

/// All that an observation tells of the quantity alone.
Observation observation_of(const analysis::Quantity& of) {
  Observation o;
  o.labels = of.labels;
  o.labels.emplace_back("series", of.name);
  if (!of.statistic.empty()) o.labels.emplace_back("statistic", of.statistic);
  o.unit = of.unit;
  o.fields["quantity"] = analysis::text_of(of);
  return o;
}

std::string change_text(double before, double after) {
  if (before == 0) return "from nothing";
  const double change = after / before - 1;
  return (change >= 0 ? "+" : "") + analysis::percent_text(change);
}

std::string quantiles_text(const std::vector<std::pair<double, double>>& moved) {
  std::string text;
  for (const auto& [quantile, factor] : moved) {
    text += (text.empty() ? "" : ", ") + text_of(Statistic{Statistic::Kind::quantile, quantile}) +
            " " + analysis::number_text(factor) + "x";
  }
  return text;
}

}  // namespace

std::string events_text(const std::vector<analysis::Event>& events) {
  constexpr std::size_t kMost = 5;
  std::string text;
  for (std::size_t i = 0; i < std::min(events.size(), kMost); i++)
    text += (i == 0 ? "" : "; ") + time_of_day(events[i].at) + " " + events[i].text;
  if (events.size() > kMost) text += "; and " + std::to_string(events.size() - kMost) + " more";
  return text.empty() ? "none known" : text;
}

Verdict judge_one(const RegressionFound& condition, const Rule& rule, const Judging& with) {
  const auto* regressions = with.facts.regressions();
  if (regressions == nullptr) return nobody("regressions");
  Verdict verdict;
  note_gap(with.facts.gaps().regressions, verdict);
  for (const analysis::Regression& r : *regressions) {
    if (r.state == FindingState::resolved || (condition.worse_only && !r.worse)) continue;
    if (!condition.series.matches(r.of.name, r.of.labels)) continue;
    if (!condition.statistic.empty() && condition.statistic != r.of.statistic) continue;
    if (r.confidence < condition.least_confidence) continue;
    // From nothing to something is more than any share.
    const double change =
        r.before != 0 ? std::fabs(r.after / r.before - 1) : std::numeric_limits<double>::infinity();
    if (change < condition.least_change) continue;
    Observation o = observation_of(r.of);
    o.key = r.id;
    o.severity = rule.severity;
    o.value = r.after;
    o.since = r.since;
    o.fields["value"] = o.fields["after"] = value_text(r.after, r.of.unit);
    o.fields["before"] = value_text(r.before, r.of.unit);
    o.fields["change"] = change_text(r.before, r.after);
    o.fields["confidence"] = analysis::percent_text(r.confidence);
    o.fields["earliest"] = time_of_day(r.earliest);
    o.fields["latest"] = time_of_day(r.latest);
    o.fields["quantiles"] = quantiles_text(r.moved);
    o.fields["events"] = events_text(r.events);
    verdict.observations.push_back(std::move(o));
  }
  return verdict;
}

Verdict judge_one(const AnomalyFound& condition, const Rule& rule, const Judging& with) {
  const auto* incidents = with.facts.incidents();
  if (incidents == nullptr) return nobody("anomalies");
  Verdict verdict;
  note_gap(with.facts.gaps().incidents, verdict);
  for (const analysis::Incident& incident : *incidents) {
    if (incident.until != 0 || incident.members.empty()) continue;
    if (incident.members.size() < condition.least_members) continue;
    double score = 0;
    bool selected = false;
    std::string members;
    constexpr std::size_t kNamed = 5;
    std::size_t number = 0;
    for (const analysis::Anomaly& a : incident.members) {
      score = std::max(score, a.score);
      selected = selected || condition.series.matches(a.of.name, a.of.labels);
      if (number++ < kNamed) members += (members.empty() ? "" : "; ") + analysis::text_of(a.of);
    }
    if (number > kNamed) members += "; and " + std::to_string(number - kNamed) + " more";
    if (!selected || score < condition.least_score) continue;
    const analysis::Anomaly& root = incident.members.front();
    Observation o = observation_of(root.of);
    o.key = incident.id;
    o.severity = rule.severity;
    o.value = root.value;
    o.since = incident.since;
    o.fields["value"] = value_text(root.value, root.of.unit);
    o.fields["expected"] = value_text(root.expected, root.of.unit);
    o.fields["score"] = analysis::percent_text(score);
    o.fields["members"] = members;
    o.fields["events"] = events_text(incident.events);
    verdict.observations.push_back(std::move(o));
  }
  return verdict;
}

Verdict judge_one(const BottleneckFound& condition, const Rule& rule, const Judging& with) {
  const auto* findings = with.facts.findings();
  if (findings == nullptr) return nobody("bottlenecks");
  Verdict verdict;
  note_gap(with.facts.gaps().findings, verdict);
  const bool only_impact = with.facts.gaps().only_impact;
  std::string unknown = only_impact ? asked_besides(condition) : "";
  if (!unknown.empty()) unknown = "was open, of unknown " + unknown;
  const double within = with.facts.gaps().findings_within;
  // Without `for` it is enough that it was open at all.
  if (unknown.empty() && rule.for_seconds > 0 && rule.for_seconds < within)
    unknown = "was open for an unknown part of " + analysis::seconds_text(within);
  const Matchers where = only_impact ? without_place(condition.where) : condition.where;
  for (const analysis::Finding& f : *findings) {
    if (f.state == FindingState::resolved || f.impact < condition.least_impact) continue;
    if (!only_impact &&
        (f.severity < condition.least_severity || f.confidence < condition.least_confidence))
      continue;
    if (!condition.kinds.empty() &&
        std::find(condition.kinds.begin(), condition.kinds.end(), f.kind) == condition.kinds.end())
      continue;
    Observation o;
    o.key = f.id;
    o.labels = {{"target", f.target}, {"kind", f.kind}, {"where", f.where}};
    if (!matches(where, o.labels)) continue;
    std::erase_if(o.labels, [](const auto& pair) { return pair.second.empty(); });
    o.severity = condition.severity_as_found ? f.severity : rule.severity;
    // One that grew worse is another alert: whoever is called for critical ones alone is called
    // now.
    o.key += std::string("/") + word(o.severity);
    o.known = unknown.empty();
    if (!o.known) verdict.unknown = f.kind + " of " + f.target + " " + unknown;
    o.value = f.impact;
    o.unit = "ratio";
    o.since = f.since;
    o.fields["value"] = o.fields["impact"] = analysis::percent_text(f.impact);
    o.fields["title"] = o.fields["cause"] = f.title;
    o.fields["where"] = f.where;
    if (!only_impact) o.fields["confidence"] = analysis::percent_text(f.confidence);
    o.fields["recommendation"] = f.recommendation;
    std::string evidence;
    for (std::size_t i = 0; i < std::min<std::size_t>(f.evidence.size(), 4); i++)
      evidence += (i == 0 ? "" : "; ") + f.evidence[i].text;
    o.fields["evidence"] = evidence;
    verdict.observations.push_back(std::move(o));
  }
  return verdict;
}

Verdict judge(const Rule& rule, const Judging& with) {
  Verdict verdict = std::visit(
      [&](const auto& condition) { return judge_one(condition, rule, with); }, rule.condition);
  for (Observation& observation : verdict.observations) {
    if (observation.known) add_cause(observation, with);
  }
  return verdict;
}

}  // namespace nz::alerts
