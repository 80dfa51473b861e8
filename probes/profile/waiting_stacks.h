// Stacks between the kernel and the account: some of their functions have no name yet.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include "probes/profile/names.h"
#include "probes/profile/stack_table.h"

namespace nz::probes::profile {

class WaitingStacks {
 public:
  static constexpr size_t kMost = 2'048;  ///< at up to 1.5 KB each

  /// `functions`: root first, kernel functions behind the program's.
  using Account = std::function<void(uint32_t slot, const std::vector<FunctionId>& functions,
                                     uint32_t samples)>;

  explicit WaitingStacks(Names& names) : names_(names) {}

  /// Keeps where its addresses lie; the process may end now.
  void add(const Sampled& sampled);
  /// Tells those whose functions are all known. Where more than kMost wait the oldest are told as
  /// well, with kOther for what is not known.
  void settle(const Account& account);
  /// Samples that are not told yet.
  [[nodiscard]] uint64_t samples() const;

 private:
  struct Stack {
    uint32_t slot = 0, samples = 0;
    std::vector<Names::Place> places;  // root first
  };
  bool all_known(const Stack& stack, bool whatever, std::vector<FunctionId>& functions);

  Names& names_;
  std::deque<Stack> stacks_;
};

}  // namespace nz::probes::profile
