// The unit of a family, which its name tells.
#pragma once

#include <string>
#include <string_view>

#include "userspace/metrics/family.h"

namespace nz::metrics {

/// "seconds", "bytes", "ratio", "cores"; "" for a plain number. `_total` does not count.
std::string unit(std::string_view family);

/// Of growth by seconds: "per second", "bytes per second", and of counted seconds "seconds per
/// second". Of a histogram: its values "per second".
std::string rate_unit(std::string_view family, Type type);

}  // namespace nz::metrics
