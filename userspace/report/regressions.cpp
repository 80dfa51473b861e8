#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "analysis/text.h"
#include "userspace/report/sections.h"

namespace nz::report {
namespace {

using analysis::Regression;

constexpr std::size_t kMostRegressions = 30, kMostRegressionCards = 6, kMostEvents = 30,
                      kMostQuantiles = 6;

// Within the range: what ended after it went on.
bool over(const Facts& facts, const Regression& r) { return r.until > 0 && r.until <= facts.in.to; }

std::vector<const Regression*> in_range(const Facts& facts) {
  std::vector<const Regression*> found;
  for (const Regression& r : *facts.in.extras.regressions) {
    if (r.since <= facts.in.to && (r.until == 0 || r.until >= facts.in.from)) found.push_back(&r);
  }
  const auto factor = [](const Regression* r) {
    constexpr double kNew = 1e9;  // what was not there before has grown most
    const double ratio = r->before > 0 && r->after > 0 ? r->after / r->before : NAN;
    return std::isfinite(ratio) ? std::fabs(std::log(ratio)) : kNew;
  };
  std::stable_sort(found.begin(), found.end(), [&](const auto* a, const auto* b) {
    if (a->worse != b->worse) return a->worse;
    return factor(a) > factor(b);
  });
  return found;
}

std::string quantiles_text(const Regression& r) {
  std::vector<std::string> moved;
  for (const auto& [q, ratio] : r.moved) {
    if (moved.size() == kMostQuantiles) break;
    moved.push_back(fmt::format("p{} {}", analysis::number_text(q * 100), change_text(ratio, 1)));
  }
  return listed(moved);
}

Card card_of(const Facts& facts, const Regression& r) {
  Card card;
  card.title = code(shortened(analysis::text_of(r.of), 200));
  card.tone = over(facts, r) ? Tone::quiet : r.worse ? Tone::bad : Tone::none;
  card.badges = {r.worse ? "worse" : "changed", over(facts, r) ? "over" : "goes on"};
  std::string text = "From " + analysis::figure_text(r.before, r.of.unit) + " to " +
                     analysis::figure_text(r.after, r.of.unit) + " (" +
                     change_text(r.after, r.before) + "), " +
                     lasting_text(facts.clock, r.since, over(facts, r) ? r.until : 0, facts.in.to);
  if (r.latest > r.earliest)
    text += ", between " + facts.clock.at(r.earliest) + " and " + facts.clock.at(r.latest);
  text += ". Confidence " + analysis::percent_text(r.confidence) + ". ";
  const std::string moved = quantiles_text(r);
  if (!moved.empty()) text += "What moved: " + moved + ". ";
  std::vector<std::string> events;
  for (const analysis::Event& e : r.events) {
    if (events.size() == 3) break;
    events.push_back(shortened(e.text, 200) + " (" + facts.clock.at(e.at) + ")");
  }
  if (!events.empty()) text += "What changed at that time: " + listed(events) + ".";
  card.paragraphs.emplace_back(text);
  return card;
}

Table regression_table(const Facts& facts, const std::vector<const Regression*>& found) {
  Table table;
  table.columns = {{"quantity"},     {"was", true}, {"is", true},
                   {"change", true}, {"since"},     {"state"}};
  for (const Regression* r : found) {
    if (table.rows.size() == kMostRegressions) {
      table.note = counted(static_cast<double>(found.size() - kMostRegressions), "smaller one is",
                           "smaller ones are") +
                   " left out.";
      break;
    }
    table.rows.push_back({{code(shortened(analysis::text_of(r->of), 200)), Tone::none},
                          {{analysis::figure_text(r->before, r->of.unit)}, Tone::none},
                          {{analysis::figure_text(r->after, r->of.unit)}, Tone::none},
                          {{change_text(r->after, r->before)}, r->worse ? Tone::bad : Tone::none},
                          {{facts.clock.at(r->since)}, Tone::none},
                          {{over(facts, *r) ? "over" : "goes on"}, Tone::none}});
  }
  return table;
}

// Anomalies that came together: what left its usual range and came back.
Table incident_table(const Facts& facts, const std::vector<const analysis::Incident*>& found) {
  Table table;
  table.title = "Incidents: series that left their usual range together";
  table.columns = {{"time"}, {"first"}, {"was", true}, {"usual", true}, {"series", true}};
  double left_out = 0;
  for (const analysis::Incident* i : found) {
    if (i->members.empty()) continue;
    if (table.rows.size() == kMostRegressions) {
      left_out++;
      continue;
    }
    const analysis::Anomaly& first = i->members.front();
    const double until = i->until > facts.in.to ? 0 : i->until;
    table.rows.push_back({{{lasting_text(facts.clock, i->since, until, facts.in.to)}, Tone::none},
                          {code(shortened(analysis::text_of(first.of), 200)), Tone::none},
                          {{analysis::figure_text(first.value, first.of.unit)}, Tone::none},
                          {{analysis::figure_text(first.expected, first.of.unit)}, Tone::none},
                          {{std::to_string(i->members.size())}, Tone::none}});
  }
  if (left_out > 0)
    table.note = counted(left_out, "further one is", "further ones are") + " left out.";
  return table;
}

Table event_table(const Facts& facts, const std::vector<const analysis::Event*>& events) {
  Table table;
  table.title = "What changed in this time";
  table.columns = {{"time"}, {"of"}, {"what"}};
  for (const analysis::Event* e : events) {
    if (table.rows.size() == kMostEvents) {
      table.note = counted(static_cast<double>(events.size() - kMostEvents), "later one is",
                           "later ones are") +
                   " left out.";
      break;
    }
    table.rows.push_back({{{facts.clock.at(e->at)}, Tone::none},
                          {{shortened(e->target, 60)}, Tone::none},
                          {{shortened(e->text, 300)}, Tone::none}});
  }
  return table;
}

void add_regressions(const Facts& facts, Section& section) {
  const auto found = in_range(facts);
  if (found.empty()) {
    section.blocks.emplace_back(Paragraph{{"No quantity changed and stayed so."}});
    return;
  }
  section.blocks.emplace_back(regression_table(facts, found));
  for (std::size_t i = 0; i < std::min(found.size(), kMostRegressionCards); i++) {
    if (!found[i]->moved.empty() || !found[i]->events.empty())
      section.blocks.emplace_back(card_of(facts, *found[i]));
  }
}

}  // namespace

std::optional<Section> regressions_section(const Facts& facts) {
  Section section{"regressions", "Regressions and changes", {}};
  const Extras& extras = facts.in.extras;
  if (extras.regressions) add_regressions(facts, section);
  if (auto table = usual_table(facts)) section.blocks.emplace_back(std::move(*table));
  if (extras.incidents) {
    std::vector<const analysis::Incident*> found;
    for (const auto& i : *extras.incidents) {
      if (i.since <= facts.in.to && (i.until == 0 || i.until >= facts.in.from)) found.push_back(&i);
    }
    Table table = incident_table(facts, found);
    if (!table.rows.empty()) section.blocks.emplace_back(std::move(table));
  }
  if (extras.events) {
    std::vector<const analysis::Event*> found;
    for (const auto& e : *extras.events) {
      if (e.at >= facts.in.from && e.at <= facts.in.to) found.push_back(&e);
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const auto* a, const auto* b) { return a->at < b->at; });
    if (!found.empty()) section.blocks.emplace_back(event_table(facts, found));
  }
  if (section.blocks.empty()) return std::nullopt;
  return section;
}

}  // namespace nz::report
