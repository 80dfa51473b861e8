// The functions of a binary as probes see them: where a probe would sit, what a hit costs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "userspace/inspect/place.h"
#include "userspace/observe/calibrate.h"
#include "userspace/sites/kernel.h"
#include "userspace/sites/return_site.h"

namespace nz::inspect {

struct Function {
  sites::Symbol symbol;
  std::string name;                  ///< demangled
  std::vector<std::string> aliases;  ///< other names of the same code, demangled
  std::optional<sites::EntrySite> entry;
  std::string no_entry;  ///< why there is no entry site
  std::optional<sites::ReturnPlan> returns;
  std::string no_return;  ///< why its end cannot be seen
  double entry_ns = 0;    ///< estimated cost of one call with the entry probed
  double call_ns = 0;     ///< with entry and end probed; 0 when that is refused
};

/// Chooses where the probes of one function would sit, and what they would cost.
Function look_at(const sites::Binary& binary, const sites::Symbol& symbol,
                 const sites::ReturnPolicy& policy, const sites::KernelTraits& kernel,
                 const observe::Prices& prices);

/// How the end would be seen: "return probe", "3 exits", "refused".
std::string return_words(const Function& function);

}  // namespace nz::inspect
