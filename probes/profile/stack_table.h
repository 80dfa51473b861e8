// The stacks that the kernel has counted, an interval at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "nearzero/profile.h"

namespace nz::probes::profile {

/// One stack of one process, and how often it was met. Addresses innermost first.
struct Sampled {
  uint32_t tgid = 0, slot = 0, count = 0;
  std::span<const uint64_t> user;
  std::span<const uint64_t> kernel;  ///< empty: it ran in user mode
};

/// Two halves of rows: the programs write the one that `half` names. The other has rested since the
/// last drain, so that no program is still in it.
class StackTable {
 public:
  /// `rows` and `stacks`: both halves, the same number of each.
  StackTable(std::span<nz_profile_row> rows, std::span<const nz_profile_stack> stacks, nz_u32& half)
      : rows_(rows), stacks_(stacks), half_(half) {}

  /// Tells all of the half that rests, empties it, and lets the programs change over to it.
  void drain(const std::function<void(const Sampled&)>& tell);
  /// Forgets both halves.
  void clear();

 private:
  std::span<nz_profile_row> rows_;
  std::span<const nz_profile_stack> stacks_;
  nz_u32& half_;
};

}  // namespace nz::probes::profile
