// An order also waits for a CPU before its first stage: the thread that takes it from a queue or a
// socket must be given one. That is on top of the time of its stages.
#pragma once

#include "analysis/bottlenecks/candidate.h"

namespace nz::analysis {

/// Seconds per order that the target's threads wait for a CPU outside of stages, beyond the
/// reference; 0 where that is too little to tell, or nobody knows (no stages, no reference).
double wait_ahead(const Context& context, const OrderPath& path);

/// Makes it the candidate's, with its evidence; nothing where `seconds` is 0.
void add_wait_ahead(const Context& context, const OrderPath& path, double seconds, Candidate& c);

}  // namespace nz::analysis
