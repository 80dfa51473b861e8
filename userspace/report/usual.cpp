#include <cmath>

#include "analysis/text.h"
#include "userspace/report/sections.h"

namespace nz::report {
namespace {

using analysis::AgainstUsual;
using analysis::Basis;

constexpr std::size_t kMostUnusual = 20;
constexpr double kNear = 300;  // seconds, from the newest value to the end of the range

std::string basis_text(const analysis::Expected& usual) {
  const auto n = static_cast<double>(usual.hours);
  switch (usual.basis) {
    case Basis::hour_of_week:
      return "this hour of the week, " + counted(n, "week", "weeks");
    case Basis::kind_of_day:
      return "this hour of such days, " + counted(n, "day", "days");
    case Basis::hour_of_day:
      return "this hour of any day, " + counted(n, "day", "days");
    case Basis::all:
      return "any hour, " + counted(n, "hour", "hours");
    case Basis::none:
      return "";
  }
  return "";
}

bool is_off(const AgainstUsual& a) { return a.value < a.usual.low || a.value > a.usual.high; }

std::vector<Cell> row_of(const AgainstUsual& a) {
  const auto figure = [&](double value) {
    return Cell{{analysis::figure_text(value, a.of.unit)}, Tone::none};
  };
  // Only what is slower for sure is worse; more orders are no trouble.
  const bool slower = is_off(a) && a.of.unit == "seconds" && a.value > a.usual.median;
  return {{code(shortened(analysis::text_of(a.of), 200)), Tone::none},
          figure(a.value),
          figure(a.usual.median),
          {{analysis::figure_text(a.usual.low, a.of.unit) + " to " +
            analysis::figure_text(a.usual.high, a.of.unit)},
           Tone::none},
          {{change_text(a.value, a.usual.median)}, slower ? Tone::bad : Tone::none},
          {{basis_text(a.usual)}, Tone::quiet}};
}

}  // namespace

std::optional<Table> usual_table(const Facts& facts) {
  if (!facts.in.extras.usual) return std::nullopt;
  Table table;
  table.title = "This hour against what is usual";
  table.columns = {{"quantity"},           {"now", true},    {"usual", true},
                   {"99 % between", true}, {"change", true}, {"by"}};
  std::size_t more = 0;
  for (const AgainstUsual& a : *facts.in.extras.usual) {
    if (std::fabs(a.at - facts.in.to) > kNear) continue;
    if (table.rows.size() == kMostUnusual) {
      more++;
      continue;
    }
    table.rows.push_back(row_of(a));
  }
  if (table.rows.empty()) return std::nullopt;
  if (more > 0)
    table.note =
        counted(static_cast<double>(more), "further one is", "further ones are") + " left out.";
  return table;
}

}  // namespace nz::report
