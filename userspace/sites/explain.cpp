#include "userspace/sites/explain.h"

#include <algorithm>

#include "userspace/sites/symbol_match.h"

namespace nz::sites {
namespace {

std::string cost_words(Cost cost) {
  // 9.0-10.4 us against 0.65-1.25 us (DESIGN 3): about ten times.
  return cost == Cost::emulated ? "emulated, ~1.0x" : "single-stepped, ~10x";
}

std::string short_name(const Symbol& symbol) {
  return symbol.name.starts_with("_Z") ? without_parameters(demangle(symbol.name)) : symbol.name;
}

std::string exits_words(const ExitInstructions& exits) {
  auto count = [&](ExitKind kind, Cost cost) {
    return std::count_if(exits.exits.begin(), exits.exits.end(), [&](const ExitInstruction& e) {
      return e.kind == kind && e.expected == cost;
    });
  };
  std::string text;
  auto part = [&](long n, const char* name, Cost cost) {
    if (n == 0) return;
    text += (text.empty() ? "" : "; ") + std::to_string(n) + " x " + name + ", " + cost_words(cost);
  };
  part(count(ExitKind::ret, Cost::single_step), "ret", Cost::single_step);
  part(count(ExitKind::tail_jump, Cost::emulated), "tail jump", Cost::emulated);
  part(count(ExitKind::tail_jump, Cost::single_step), "indirect tail jump", Cost::single_step);
  return text;
}

}  // namespace

std::string explain(const EntrySite& site) {
  const std::string where =
      site.into_function == 0 ? "the first byte" : "+" + std::to_string(site.into_function);
  return where + " (" + site.instruction + ", " + cost_words(site.expected) + ")";
}

std::string explain(const Symbol& symbol, const EntrySite& site) {
  std::string text = short_name(symbol) + ": entry at " + explain(site);
  if (site.expected == Cost::single_step) text += ": " + site.why;
  if (!site.caveat.empty()) text += "; " + site.caveat;
  return text;
}

std::string explain(const Symbol& symbol, const EntrySite& site, const ReturnPlan& plan) {
  std::string text = short_name(symbol) + ": entry at " + explain(site);
  if (const auto* exits = std::get_if<ExitInstructions>(&plan.how)) {
    text += ", return by exit instructions (" + exits_words(*exits) + "): " + plan.why;
    if (exits->maybe_incomplete) text += "; some returns may be missed";
  } else {
    text += ", return by return probe set at " + explain(std::get<ReturnProbe>(plan.how).entry) +
            ": " + plan.why;
  }
  if (!plan.caveat.empty()) text += "; " + plan.caveat;
  return text;
}

}  // namespace nz::sites
