// Weighs candidates of one target against each other: what one explains of another, who gets which
// part of an order's time, what is too little to be told.
#pragma once

#include <vector>

#include "analysis/bottlenecks/candidate.h"

namespace nz::analysis {

/// In this order: (1) a candidate that others explain by at least `rules.explained` goes, and its
/// claims go to the one that explains most of it; (2) the claims on a part are cut to what the part
/// has beyond the reference, in proportion; residual candidates get what is left; (3) impact is the
/// sum of a candidate's claims as a share of the order's time, so that impacts add up to 1 at most;
/// (4) who has too little impact goes, unless always to be told.
std::vector<Finding> weigh(const Context& context, const OrderPath& path,
                           std::vector<Candidate> candidates);

/// Most costly first, then the more severe, the surer, the name.
void rank(std::vector<Finding>& findings);

}  // namespace nz::analysis
