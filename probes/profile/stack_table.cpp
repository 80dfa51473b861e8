#include "probes/profile/stack_table.h"

#include <algorithm>
#include <cstring>

namespace nz::probes::profile {

void StackTable::drain(const std::function<void(const Sampled&)>& tell) {
  const size_t rows = std::min(rows_.size(), stacks_.size()) / 2;
  const nz_u32 resting = (half_ & 1) ^ 1;
  for (size_t i = resting * rows; i < (resting + 1) * rows; i++) {
    nz_profile_row& row = rows_[i];
    if (row.hash == 0) continue;
    const nz_profile_stack& stack = stacks_[i];
    tell({row.tgid,
          row.slot & (NZ_SLOTS - 1),
          row.count,
          {stack.user, std::min<size_t>(row.user_depth, NZ_PROFILE_USER)},
          {stack.kernel, std::min<size_t>(row.kernel_depth, NZ_PROFILE_KERNEL)}});
    row.count = 0;
    __atomic_store_n(&row.hash, 0, __ATOMIC_RELEASE);  // last: from here on it may be claimed
  }
  __atomic_store_n(&half_, resting, __ATOMIC_RELEASE);
}

void StackTable::clear() {
  for (nz_profile_row& row : rows_) row = {};
}

}  // namespace nz::probes::profile
