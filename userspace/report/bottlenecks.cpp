#include <algorithm>
#include <array>

#include "analysis/text.h"
#include "userspace/report/sections.h"

namespace nz::report {
namespace {

using analysis::Finding;
using analysis::Severity;

constexpr std::size_t kMostFindingCards = 24, kMostEvidence = 16;

const char* name_of(Severity severity) {
  constexpr std::array kNames{"info", "warning", "critical"};
  return kNames.at(static_cast<std::size_t>(severity));
}

Tone tone_of(const Trouble& trouble) {
  if (trouble.over) return Tone::quiet;
  const Severity severity = trouble.finding->severity;
  return severity == Severity::critical  ? Tone::bad
         : severity == Severity::warning ? Tone::warn
                                         : Tone::none;
}

Table evidence_table(const Finding& f) {
  Table table;
  table.columns = {{"evidence"}, {"series"}};
  for (const analysis::Evidence& e : f.evidence) {
    if (table.rows.size() == kMostEvidence) {
      table.note = counted(static_cast<double>(f.evidence.size() - kMostEvidence),
                           "further figure is", "further figures are") +
                   " left out.";
      break;
    }
    table.rows.push_back(
        {{{shortened(e.text, 300)}, Tone::none}, {code(shortened(e.series, 300)), Tone::quiet}});
  }
  return table;
}

Card card_of(const Facts& facts, const Trouble& trouble) {
  const Finding& f = *trouble.finding;
  Card card;
  card.title = shortened(f.title, 300);
  card.tone = tone_of(trouble);
  card.badges = {name_of(f.severity), trouble.over ? "over" : "goes on"};
  std::string text =
      shortened(f.target, 60) + (f.where.empty() ? "" : ", ") + shortened(f.where, 200) + "; " +
      lasting_text(facts.clock, f.since, trouble.over ? f.until : 0, facts.in.to) + ". ";
  if (f.impact > 0) {
    text += std::string(trouble.over ? "Cost " : "Costs ") + analysis::percent_text(f.impact) +
            " of an order's time";
    if (f.impact_seconds > 0) text += " (" + analysis::seconds_text(f.impact_seconds) + " each)";
    text += ". ";
  }
  text += "Confidence " + analysis::percent_text(f.confidence) + ". Kind: ";
  card.paragraphs.push_back(std::move(Text(text).code(shortened(f.kind, 60)).plain(".")));
  card.table = evidence_table(f);
  if (!f.recommendation.empty()) card.action = sentence(shortened(f.recommendation, 2000));
  return card;
}

}  // namespace

Section bottlenecks_section(const Facts& facts) {
  Section section{"bottlenecks", "Bottlenecks and their evidence", {}};
  if (facts.troubles.empty()) {
    section.blocks.emplace_back(Paragraph{
        {"None in this time: no cause cost orders a tenth of their time, and no limit was near."}});
    return section;
  }
  std::size_t shown = 0;
  for (const Trouble& trouble : facts.troubles) {
    if (shown == kMostFindingCards) break;
    shown++;
    section.blocks.emplace_back(card_of(facts, trouble));
  }
  if (facts.troubles.size() > shown) {
    section.blocks.emplace_back(
        Paragraph{{counted(static_cast<double>(facts.troubles.size() - shown),
                           "further one that cost less is", "further ones that cost less are") +
                   " left out."}});
  }
  return section;
}

}  // namespace nz::report
