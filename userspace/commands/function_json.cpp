#include "userspace/commands/function_json.h"

#include <nlohmann/json.hpp>

namespace nz::commands {

using nlohmann::json;

namespace {

json entry_json(const sites::EntrySite& site) {
  return {{"offset", site.offset},
          {"into_function", site.into_function},
          {"instruction", site.instruction},
          {"emulated", site.expected == sites::Cost::emulated},
          {"why", site.why},
          {"caveat", site.caveat}};
}

json return_json(const sites::ReturnPlan& plan) {
  json out = {{"why", plan.why}, {"caveat", plan.caveat}};
  if (const auto* exits = std::get_if<sites::ExitInstructions>(&plan.how)) {
    out["how"] = "exit instructions";
    out["maybe_incomplete"] = exits->maybe_incomplete;
    out["exits"] = json::array();
    for (const auto& e : exits->exits) {
      out["exits"].push_back({{"offset", e.offset},
                              {"into_function", e.into_function},
                              {"kind", e.kind == sites::ExitKind::ret ? "ret" : "tail jump"},
                              {"emulated", e.expected == sites::Cost::emulated}});
    }
  } else {
    out["how"] = "return probe";
    out["entry"] = entry_json(std::get<sites::ReturnProbe>(plan.how).entry);
  }
  return out;
}

}  // namespace

json function_json(const inspect::Function& f) {
  return {{"name", f.name},
          {"symbol", f.symbol.name},
          {"aliases", f.aliases},
          {"address", f.symbol.address},
          {"offset", f.symbol.offset},
          {"size", f.symbol.size},
          {"entry", f.entry ? entry_json(*f.entry) : json()},
          {"entry_refused", f.no_entry},
          {"entry_ns", f.entry_ns},
          {"return", f.returns ? return_json(*f.returns) : json()},
          {"return_refused", f.no_return},
          {"call_ns", f.call_ns}};
}

}  // namespace nz::commands
