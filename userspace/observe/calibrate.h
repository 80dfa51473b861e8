// What one hit of each probe kind costs on this host, measured at start in a few tens of
// milliseconds, on functions of our own.
#pragma once

#include <map>
#include <set>

#include "probes/probe.h"
#include "userspace/base/result.h"

namespace nz::observe {

struct Prices {
  std::map<probes::HitKind, double> ns;  ///< nanoseconds per hit
  std::set<probes::HitKind> measured;    ///< the others are estimates
};

/// "context switch", "uprobe, emulated", ... for people and JSON.
const char* hit_kind_name(probes::HitKind kind);

/// Figures of a paravirtual guest, where traps are dear (docs/overhead.md): never too low.
Prices estimated_prices();

/// The least of interleaved batches with and without the probe. What cannot be measured keeps its
/// estimate. Uses the agent's own object (loading a second one took longer than everything else at
/// start: the verifier reads every program again) before anything else is attached, and leaves it
/// as freshly loaded: all that was counted meanwhile is zeroed.
Prices calibrate(loader::Object& object);

}  // namespace nz::observe
