// What the profile says about a target's code.
#pragma once

#include <string>

#include "analysis/finding.h"

namespace nz::analysis {

/// The function whose share grew most; where none grew, the hottest. Nothing without a profile.
const HotFunction* hottest(const Details& details, const std::string& target);

/// Its share grew by a tenth of all samples: more than sampling noise of a hundred samples.
bool clearly_hotter(const HotFunction* function);

}  // namespace nz::analysis
