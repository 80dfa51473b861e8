#include "userspace/agent/finding_state.h"

#include <stdexcept>
#include <utility>

#include "userspace/agent/state_json.h"
#include "userspace/detected/json.h"

namespace nz::agent {
namespace {

using detected::number_of;
using nlohmann::json;
constexpr int kFindingsVersion = 1;

json to_json(const analysis::Evidence& e) {
  return {{"series", e.series}, {"text", e.text}, {"value", e.value}, {"unit", e.unit}};
}

analysis::Evidence evidence_of(const json& in) {
  return {in.at("series"), in.at("text"), number_of(in, "value"), in.at("unit")};
}

// Neither its state nor its end: it is open.
json to_json(const analysis::Finding& f) {
  json evidence = json::array();
  for (const analysis::Evidence& e : f.evidence) evidence.push_back(to_json(e));
  return {{"id", f.id},
          {"kind", f.kind},
          {"target", f.target},
          {"where", f.where},
          {"title", f.title},
          {"severity", static_cast<int>(f.severity)},
          {"impact", f.impact},
          {"impact_seconds", f.impact_seconds},
          {"confidence", f.confidence},
          {"evidence", std::move(evidence)},
          {"recommendation", f.recommendation},
          {"since", f.since},
          {"from", f.from},
          {"to", f.to}};
}

analysis::Finding finding_of(const json& in) {
  analysis::Finding f;
  f.id = in.at("id");
  if (f.id.empty()) throw std::out_of_range("id");
  f.kind = in.at("kind");
  f.target = in.at("target");
  f.where = in.at("where");
  f.title = in.at("title");
  const int severity = in.at("severity");
  if (severity < 0 || severity > static_cast<int>(analysis::Severity::critical))
    throw std::out_of_range("severity");
  f.severity = static_cast<analysis::Severity>(severity);
  f.impact = in.at("impact");
  f.impact_seconds = number_of(in, "impact_seconds");
  f.confidence = in.at("confidence");
  for (const json& e : in.at("evidence")) f.evidence.push_back(evidence_of(e));
  f.recommendation = in.at("recommendation");
  f.since = in.at("since");
  f.from = in.at("from");
  f.to = in.at("to");
  return f;
}

}  // namespace

std::string save_findings(const SavedFindings& findings) {
  json open = json::array();
  for (const analysis::FindingLedger::Open& one : findings.open) {
    open.push_back(json{{"newest", to_json(one.newest)},
                        {"worst", to_json(one.worst)},
                        {"missed", one.missed},
                        {"missed_since", one.missed_since}});
  }
  return state_text(kFindingsVersion, {{"seen", findings.seen},
                                       {"reference_from", findings.reference_from},
                                       {"reference_to", findings.reference_to},
                                       {"open", std::move(open)}});
}

Result<SavedFindings> restore_findings(std::string_view saved) {
  return restore_state(saved, kFindingsVersion, [](const json& in) {
    SavedFindings findings;
    findings.seen = in.at("seen");
    findings.reference_from = in.at("reference_from");
    findings.reference_to = in.at("reference_to");
    for (const json& open : in.at("open")) {
      // An agent that did not keep how long one had been absent has written this version, too.
      findings.open.push_back({finding_of(open.at("newest")), finding_of(open.at("worst")),
                               open.value("missed", 0), open.value("missed_since", 0.0)});
    }
    return findings;
  });
}

}  // namespace nz::agent
