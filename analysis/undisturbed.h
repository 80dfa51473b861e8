// Which part of the past may say what is normal: an incident must not be its own reference, nor
// that of the next one.
#pragma once

#include <optional>
#include <vector>

#include "analysis/finding.h"

namespace nz::analysis {

/// Unix seconds.
struct Stretch {
  double from = 0, to = 0;
};

struct UndisturbedOptions {
  double length = 600;        ///< seconds, at most
  double least = 60;          ///< seconds; the newest one that has so many is taken
  double horizon = 3600;      ///< seconds of the past that there are figures of
  double window = 20;         ///< seconds: a finding's cause may be so much older than `since`
  double least_impact = 0.1;  ///< what costs orders less than that disturbs nothing
};

/// The newest stretch before `end` in which orders were not disturbed by any of `findings`; nothing
/// where there is none of `least` seconds between disturbances.
std::optional<Stretch> undisturbed(const std::vector<Finding>& findings, double end,
                                   const UndisturbedOptions& options);

}  // namespace nz::analysis
