#include <algorithm>
#include <cmath>
#include <map>

#include "analysis/text.h"
#include "userspace/report/sections.h"

namespace nz::report {
namespace {

constexpr std::size_t kMostTargets = 8, kMostFunctions = 15;

}  // namespace

std::optional<Section> functions_section(const Facts& facts) {
  Section section{"functions", "Hottest functions", {}};
  std::map<std::string, std::vector<const analysis::HotFunction*>> by_target;
  for (const auto& f : facts.in.details.hot_functions) by_target[f.target].push_back(&f);
  std::size_t shown = 0;
  for (const auto& [target, functions] : by_target) {
    if (shown == kMostTargets) {
      section.blocks.emplace_back(Paragraph{{counted(static_cast<double>(by_target.size() - shown),
                                                     "further service is", "further services are") +
                                             " left out."}});
      break;
    }
    shown++;
    Table table;
    table.title = target;
    table.columns = {{"function"}, {"module"}, {"share", true}, {"was", true}, {"samples", true}};
    for (const auto* f : functions) {
      if (table.rows.size() == kMostFunctions) {
        table.note = counted(static_cast<double>(functions.size() - kMostFunctions),
                             "cooler one is", "cooler ones are") +
                     " left out.";
        break;
      }
      const double before = f->before.value_or(NAN);
      // Ten points of a service's time: below, sampling alone may have moved it.
      const bool grew = f->before && f->share - *f->before >= 0.1;
      table.rows.push_back({{code(shortened(f->function, 200)), Tone::none},
                            {code(shortened(f->module, 100)), Tone::quiet},
                            {{analysis::percent_text(f->share)}, grew ? Tone::bad : Tone::none},
                            {{figure_or_dash(before, "ratio")}, Tone::none},
                            {{std::to_string(f->samples)}, Tone::none}});
    }
    section.blocks.emplace_back(std::move(table));
  }
  if (section.blocks.empty()) return std::nullopt;
  if (facts.in.details.profile_seconds > 0)
    section.blocks.emplace_back(Paragraph{
        {"Samples of the CPU's clock in the last " + span_text(facts.in.details.profile_seconds) +
         " before " + facts.clock.at(facts.in.created) +
         "; \"was\" is ten times as long before that."},
        Tone::quiet});
  return section;
}

}  // namespace nz::report
