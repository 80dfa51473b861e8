// Plans in words, for `nearzero check` and for logs.
#pragma once

#include <string>

#include "userspace/sites/return_site.h"

namespace nz::sites {

/// "+4 (push %rbp, emulated, ~1.0x)". The factor is relative to an emulated probe.
std::string explain(const EntrySite& site);

/// "risk_check: entry at +4 (push %rbp, emulated, ~1.0x)".
std::string explain(const Symbol& symbol, const EntrySite& site);

/// The same with the return: "..., return by exit instructions (3 x ret, single-stepped, ~10x):
/// binary has a C++ unwinder". Caveats follow after a semicolon.
std::string explain(const Symbol& symbol, const EntrySite& site, const ReturnPlan& plan);

}  // namespace nz::sites
