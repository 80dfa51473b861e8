#include "userspace/metrics/unit.h"

#include <array>

namespace nz::metrics {

std::string unit(std::string_view family) {
  constexpr std::string_view kTotal = "_total";
  if (family.ends_with(kTotal)) family.remove_suffix(kTotal.size());
  for (const std::string_view unit : std::array{"seconds", "bytes", "ratio", "cores"}) {
    if (family.ends_with(unit)) return std::string(unit);
  }
  return "";
}

std::string rate_unit(std::string_view family, Type type) {
  const std::string counted = type == Type::histogram ? "" : unit(family);
  return counted.empty() ? "per second" : counted + " per second";
}

}  // namespace nz::metrics
