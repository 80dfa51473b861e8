#include "probes/stages/plan.h"

#include <algorithm>

namespace nz::probes {
namespace {

using sites::Binary;
using sites::Symbol;

Result<std::vector<Symbol>> find_few(const Binary& binary, const std::string& pattern) {
  auto found = binary.find(pattern);
  if (!found) return found;
  if (found->size() > kMaxFunctionsPerPattern) {
    return fail("'" + pattern + "' matches " + std::to_string(found->size()) + " functions of " +
                    binary.path() + ", more than " + std::to_string(kMaxFunctionsPerPattern),
                "narrow the pattern: each of them would be probed on every call");
  }
  return found;
}

nz_action action(nz_action_kind kind, StageId id) {
  return {id.stage, static_cast<nz_u8>(kind), id.open};
}

// One entry site of each function that `pattern` names, all with the same action.
Result<std::vector<PlannedSite>> entries(const Binary& binary, const std::string& pattern,
                                         nz_action what, bool shadow_stack,
                                         const sites::KernelTraits& kernel, std::string& text) {
  auto functions = find_few(binary, pattern);
  if (!functions) return tl::unexpected(functions.error());
  std::vector<PlannedSite> result;
  for (const Symbol& symbol : *functions) {
    sites::Need need;
    need.shadow_stack = shadow_stack;
    auto site = sites::choose_entry(binary, symbol, need, kernel);
    if (!site) return tl::unexpected(site.error());
    PlannedSite planned;
    planned.offset = site->offset;
    planned.stepped = site->expected == sites::Cost::single_step;
    planned.sp_displacement = site->sp_displacement;
    planned.actions = {what};
    result.push_back(std::move(planned));
    if (!text.empty()) text += "; ";
    text += sites::explain(symbol, *site);
  }
  return result;
}

Result<void> add_function(const Binary& binary, const Symbol& symbol, const config::Stage& stage,
                          StageId id, bool shadow_stack, const sites::KernelTraits& kernel,
                          StagePlan& plan) {
  sites::ReturnPolicy policy;
  policy.nothrow = stage.nothrow;
  policy.shadow_stack = shadow_stack;
  auto back = sites::choose_return(binary, symbol, policy, kernel);
  if (!back) return tl::unexpected(back.error());
  const nz_action enter = action(NZ_ACT_FN_ENTRY, id);
  const nz_action leave = action(NZ_ACT_FN_EXIT, id);
  PlannedSite entry;
  entry.actions = {enter};
  if (!plan.text.empty()) plan.text += "; ";
  if (const auto* probe = std::get_if<sites::ReturnProbe>(&back->how)) {
    entry.offset = probe->entry.offset;
    entry.stepped = probe->entry.expected == sites::Cost::single_step;
    entry.returns = true;
    entry.return_actions = {leave};
    plan.sites.push_back(std::move(entry));
    plan.text += sites::explain(symbol, probe->entry, *back);
    return {};
  }
  sites::Need need;
  need.shadow_stack = shadow_stack;
  auto site = sites::choose_entry(binary, symbol, need, kernel);
  if (!site) return tl::unexpected(site.error());
  entry.offset = site->offset;
  entry.stepped = site->expected == sites::Cost::single_step;
  entry.sp_displacement = site->sp_displacement;
  plan.sites.push_back(std::move(entry));
  for (const sites::ExitInstruction& exit : std::get<sites::ExitInstructions>(back->how).exits) {
    PlannedSite planned;
    planned.offset = exit.offset;
    planned.stepped = exit.expected == sites::Cost::single_step;
    planned.actions = {leave};
    plan.sites.push_back(std::move(planned));
  }
  plan.text += sites::explain(symbol, *site, *back);
  return {};
}

}  // namespace

Result<StagePlan> plan_stage(const Binary& binary, const config::Stage& stage, StageId id,
                             bool shadow_stack, const sites::KernelTraits& kernel) {
  StagePlan plan;
  if (!stage.function.empty()) {
    auto functions = find_few(binary, stage.function);
    if (!functions) return tl::unexpected(functions.error());
    for (const Symbol& symbol : *functions) {
      auto added = add_function(binary, symbol, stage, id, shadow_stack, kernel, plan);
      if (!added) return tl::unexpected(added.error());
    }
    return plan;
  }
  std::string text;
  auto to = entries(binary, stage.to, action(NZ_ACT_TO, id), shadow_stack, kernel, text);
  if (!to) return tl::unexpected(to.error());
  const std::string to_text = std::move(text);
  text.clear();
  auto from = entries(binary, stage.from, action(NZ_ACT_FROM, id), shadow_stack, kernel, text);
  if (!from) return tl::unexpected(from.error());
  plan.sites = std::move(*from);
  plan.sites.insert(plan.sites.end(), to->begin(), to->end());
  plan.text = "from " + text + " to " + to_text;
  return plan;
}

namespace {

// Order of the actions of one address. The end of a from/to stage comes before any start: a stage
// that runs from a function to itself measures the time between calls. Exits of functions come
// last: where one shares the address with an entry, the function is a lone `ret` or `jmp`, which is
// entered before it is left. Frames are a stack: a function's return comes after the exit
// instructions of the same call, so its frame must lie below theirs, and exits go in the reverse
// order of entries.
int rank(const nz_action& action, bool returns) {
  switch (action.kind) {
    case NZ_ACT_TO:
      return 0;
    case NZ_ACT_FN_EXIT:
      return 3;
    default:
      return returns ? 1 : 2;
  }
}

struct Ranked {
  int rank;
  nz_action action;
};

std::vector<nz_action> ordered(std::vector<Ranked> ranked) {
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const Ranked& a, const Ranked& b) { return a.rank < b.rank; });
  std::reverse(
      std::find_if(ranked.begin(), ranked.end(), [](const Ranked& r) { return r.rank == 3; }),
      ranked.end());
  std::vector<nz_action> actions;
  for (const Ranked& r : ranked) actions.push_back(r.action);
  return actions;
}

}  // namespace

Result<std::vector<PlannedSite>> merge(const std::vector<StagePlan>& plans) {
  struct Merged {
    PlannedSite site;
    std::vector<Ranked> here, at_return;
  };
  std::map<uint64_t, Merged> by_offset;
  for (const StagePlan& plan : plans) {
    for (const PlannedSite& site : plan.sites) {
      Merged& merged = by_offset.emplace(site.offset, Merged{site, {}, {}}).first->second;
      merged.site.returns = merged.site.returns || site.returns;
      for (const nz_action& a : site.actions) merged.here.push_back({rank(a, site.returns), a});
      for (const nz_action& a : site.return_actions) merged.at_return.push_back({rank(a, true), a});
    }
  }
  std::vector<PlannedSite> result;
  for (auto& [offset, merged] : by_offset) {
    PlannedSite& site = merged.site;
    site.actions = ordered(std::move(merged.here));
    site.return_actions = ordered(std::move(merged.at_return));
    if (site.actions.size() > NZ_SITE_ACTIONS || site.return_actions.size() > NZ_SITE_ACTIONS) {
      return fail("more than " + std::to_string(NZ_SITE_ACTIONS) + " stages share one address",
                  "remove stages that begin or end at the same function");
    }
    result.push_back(std::move(site));
  }
  return result;
}

}  // namespace nz::probes
