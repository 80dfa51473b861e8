// Pressure stall information, of the host and of a cgroup: how long work waited for a resource.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "userspace/resources/context.h"

namespace nz::resources {

constexpr std::array<const char*, 3> kPressureResources = {"cpu", "memory", "io"};

struct Pressure {
  uint64_t some = 0;             ///< µs in which at least one task waited
  std::optional<uint64_t> full;  ///< µs in which all did; older kernels have none for the CPU
};

/// Nothing where the text is cut off or has no "some".
std::optional<Pressure> parse_pressure(std::string_view text);

class HostPressure {
 public:
  explicit HostPressure(const Paths& paths);
  /// Adds to `rows`, which is shared with the targets' cgroups. A kernel without it: no rows.
  void collect(Context& context, Rows& rows);

 private:
  std::array<File, kPressureResources.size()> files_;
};

}  // namespace nz::resources
