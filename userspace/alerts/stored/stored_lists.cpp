#include "userspace/alerts/stored/stored_lists.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "userspace/alerts/matcher.h"

namespace nz::alerts {
namespace {

using detected::Spell;

constexpr const char* kImpact = "nearzero_bottleneck_impact_ratio";
// There at every drain, whether something is open or not.
constexpr const char* kJudged = "nearzero_bottlenecks_dropped_total";
constexpr const char* kRegressions = "nearzero_regressions_open";
constexpr const char* kIncidents = "nearzero_incidents_open";

// Seconds. A count is that of the drain before, and of the last drain of an interval.
constexpr double kLate = 15;

const metrics::Family* family_of(const StoredLists::Families& series, const char* name) {
  const auto found = series.find(name);
  return found == series.end() ? nullptr : &found->second;
}

template <class T>
bool was_open(const Spell<T>& spell, double from, double to) {
  return spell.from <= to && (spell.to == 0 || spell.to > from);
}

/// That there was nobody who counts them; empty: somebody does.
std::string nobody(const StoredLists::Families& series, const char* count, const char* what) {
  return family_of(series, count) == nullptr ? fmt::format("nobody looked for {}", what) : "";
}

/// Why some of the list may be missing; empty: none is.
template <class T>
std::string gap(const StoredLists::Families& series, const char* count, const char* what,
                const std::vector<Spell<T>>& spells, double at) {
  const metrics::Family* family = family_of(series, count);
  if (family == nullptr) return nobody(series, count, what);
  double open = 0;
  for (const metrics::Sample& sample : family->samples) open += sample.value;
  std::set<std::string_view> known;  // by id: where figures changed, one spell follows another
  for (const auto& spell : spells) {
    if (was_open(spell, at - kLate, at + kLate)) known.insert(spell.what.id);
  }
  if (open <= static_cast<double>(known.size())) return {};
  return fmt::format("{:.0f} {} were open, of which the history has {}", open, what, known.size());
}

/// As rules saw it then.
void as_of(double /*at*/, analysis::Regression& regression) {
  regression.state = analysis::FindingState::ongoing;
  regression.until = 0;
}
void as_of(double at, analysis::Incident& incident) {
  incident.until = 0;
  std::erase_if(incident.members, [at](const analysis::Anomaly& member) { return member.at > at; });
}

template <class T>
std::vector<T> open_at(const std::vector<Spell<T>>& spells, double at) {
  std::vector<T> open;
  for (const auto& spell : spells) {
    if (was_open(spell, at, at)) as_of(at, open.emplace_back(spell.what));
  }
  return open;
}

std::vector<analysis::Finding> findings_of(const metrics::Family* impact) {
  std::vector<analysis::Finding> findings;
  if (impact == nullptr) return findings;  // nothing was open
  for (const metrics::Sample& sample : impact->samples) {
    analysis::Finding& f = findings.emplace_back();
    f.kind = value_of(sample.labels, "kind");
    f.target = value_of(sample.labels, "target");
    f.id = f.kind + "/" + f.target;
    f.title = f.kind + " of " + f.target;
    f.impact = sample.value;
    f.state = analysis::FindingState::ongoing;
  }
  return findings;
}

}  // namespace

const std::set<std::string>& StoredLists::families() {
  static const std::set<std::string> names{kImpact, kJudged, kRegressions, kIncidents};
  return names;
}

template <class T>
Result<std::vector<Spell<T>>> StoredLists::spells(store::Reader& reader) {
  std::vector<Spell<T>> all;
  const auto states = reader.states(detected::key_prefix<T>());
  if (!states) return tl::unexpected(states.error());
  for (const auto& [key, saved] : *states) {
    auto spell = detected::parse<T>(saved);
    if (spell) {
      all.push_back(std::move(*spell));
    } else {
      problems_.push_back(key + ": " + spell.error().text());
    }
  }
  return all;
}

Result<StoredLists> StoredLists::read(store::Reader& reader) {
  StoredLists lists;
  auto regressions = lists.spells<analysis::Regression>(reader);
  if (!regressions) return tl::unexpected(regressions.error());
  auto incidents = lists.spells<analysis::Incident>(reader);
  if (!incidents) return tl::unexpected(incidents.error());
  lists.regressions_ = std::move(*regressions);
  lists.incidents_ = std::move(*incidents);
  return lists;
}

void StoredLists::fill(Moment& moment) const {
  moment.regressions = open_at(regressions_, moment.at);
  moment.incidents = open_at(incidents_, moment.at);
}

void StoredLists::tell(const Families& series, double seconds, Moment& moment) const {
  moment.findings = findings_of(family_of(series, kImpact));
  moment.gaps.only_impact = true;
  // The cell of a gauge has no count: it is there whether it was so at one drain or at all. In one
  // of 10 s that is no less than what the agent's rules saw.
  if (seconds > kLate) moment.gaps.findings_within = seconds;
  moment.gaps.regressions = gap(series, kRegressions, "regressions", regressions_, moment.at);
  moment.gaps.incidents = gap(series, kIncidents, "incidents", incidents_, moment.at);
  moment.gaps.findings = nobody(series, kJudged, "bottlenecks");
}

void StoredLists::begin(const Families& series, Moment& moment) {
  moment.findings.emplace();
  moment.gaps.findings = nobody(series, kJudged, "bottlenecks");
  moment.gaps.regressions = nobody(series, kRegressions, "regressions");
  moment.gaps.incidents = nobody(series, kIncidents, "incidents");
}

}  // namespace nz::alerts
