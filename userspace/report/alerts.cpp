#include <algorithm>

#include "analysis/text.h"
#include "userspace/report/sections.h"

namespace nz::report {
namespace {

constexpr std::size_t kMostAlerts = 50;

Tone tone_of(const Alert& alert, bool fires) {
  if (!fires) return Tone::quiet;
  return alert.severity == "critical" ? Tone::bad : Tone::warn;
}

}  // namespace

std::optional<Section> alerts_section(const Facts& facts) {
  if (!facts.in.extras.alerts) return std::nullopt;
  Section section{"alerts", "Alerts", {}};
  std::vector<const Alert*> found;
  for (const Alert& a : *facts.in.extras.alerts) {
    if (a.since <= facts.in.to && (a.until == 0 || a.until >= facts.in.from)) found.push_back(&a);
  }
  if (found.empty()) {
    section.blocks.emplace_back(Paragraph{{"None fired in this time."}});
    return section;
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const Alert* a, const Alert* b) { return a->since > b->since; });
  Table table;
  table.columns = {{"rule"}, {"severity"}, {"of"}, {"fired"}, {"what"}};
  for (const Alert* a : found) {
    if (table.rows.size() == kMostAlerts) {
      table.note = counted(static_cast<double>(found.size() - kMostAlerts), "older one is",
                           "older ones are") +
                   " left out.";
      break;
    }
    const bool fires = a->until == 0 || a->until > facts.in.to;
    table.rows.push_back(
        {{code(shortened(a->rule, 100)), Tone::none},
         {{shortened(a->severity, 30)}, tone_of(*a, fires)},
         {{shortened(a->target, 60)}, Tone::none},
         {{lasting_text(facts.clock, a->since, fires ? 0 : a->until, facts.in.to)}, Tone::none},
         {{shortened(a->text, 300)}, Tone::none}});
  }
  section.blocks.emplace_back(std::move(table));
  return section;
}

}  // namespace nz::report
