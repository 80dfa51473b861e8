// Names of the stages' numbers: the kernel names a thread's stage by number, in events of other
// probes too.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace nz::probes {

/// Number -> name, as the stages probe gave them out. A number is never given out twice.
using StageNames = std::map<uint32_t, std::string>;

}  // namespace nz::probes
