#include "userspace/inspect/functions.h"

#include <algorithm>
#include <variant>

#include "userspace/sites/symbol_match.h"

namespace nz::inspect {
namespace {

using probes::HitKind;

double ns_of(const observe::Prices& prices, HitKind kind) {
  const auto found = prices.ns.find(kind);
  return found == prices.ns.end() ? 0 : found->second;
}

double entry_cost(const sites::EntrySite& site, const observe::Prices& prices) {
  return ns_of(prices,
               site.expected == sites::Cost::emulated ? HitKind::uprobe : HitKind::uprobe_stepped);
}

// A call leaves by one of the exits: the dearest of them, to be never too low.
double call_cost(const sites::EntrySite& entry, const sites::ReturnPlan& plan,
                 const observe::Prices& prices) {
  if (const auto* probe = std::get_if<sites::ReturnProbe>(&plan.how)) {
    return ns_of(prices, probe->entry.expected == sites::Cost::emulated
                             ? HitKind::with_return
                             : HitKind::with_return_stepped);
  }
  double dearest = 0;
  for (const auto& exit : std::get<sites::ExitInstructions>(plan.how).exits) {
    dearest = std::max(
        dearest, ns_of(prices, exit.expected == sites::Cost::emulated ? HitKind::uprobe
                                                                      : HitKind::uprobe_stepped));
  }
  return entry_cost(entry, prices) + dearest;
}

}  // namespace

Function look_at(const sites::Binary& binary, const sites::Symbol& symbol,
                 const sites::ReturnPolicy& policy, const sites::KernelTraits& kernel,
                 const observe::Prices& prices) {
  Function f;
  f.symbol = symbol;
  f.name = sites::demangle(symbol.name);
  for (const std::string& name : binary.names_at(symbol.address)) {
    if (name != symbol.name) f.aliases.push_back(sites::demangle(name));
  }
  sites::Need need;
  need.shadow_stack = policy.shadow_stack;
  auto entry = sites::choose_entry(binary, symbol, need, kernel);
  if (!entry) {
    f.no_entry = f.no_return = entry.error().text();
    return f;
  }
  f.entry = *entry;
  f.entry_ns = entry_cost(*entry, prices);
  auto plan = sites::choose_return(binary, symbol, policy, kernel);
  if (plan) {
    f.returns = *plan;
    f.call_ns = call_cost(*entry, *plan, prices);
  } else {
    f.no_return = plan.error().text();
  }
  return f;
}

std::string return_words(const Function& function) {
  if (!function.returns) return "refused";
  const auto* exits = std::get_if<sites::ExitInstructions>(&function.returns->how);
  if (exits == nullptr) return "return probe";
  return std::to_string(exits->exits.size()) + (exits->exits.size() == 1 ? " exit" : " exits");
}

}  // namespace nz::inspect
