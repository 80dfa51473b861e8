#include "probes/profile/waiting_stacks.h"

#include <algorithm>

namespace nz::probes::profile {

void WaitingStacks::add(const Sampled& sampled) {
  Stack stack{sampled.slot, sampled.count, {}};
  const auto pid = static_cast<pid_t>(sampled.tgid);
  // A caller's address is that of the instruction behind its call, which may be another function's
  // first. What was interrupted stands where it says, also where the kernel was entered: by a fault
  // or a uprobe that may have been the function's first instruction.
  for (size_t i = sampled.user.size(); i-- > 0;)
    stack.places.push_back(names_.user(pid, sampled.user[i] - (i > 0 ? 1 : 0)));
  for (size_t i = sampled.kernel.size(); i-- > 0;)
    stack.places.push_back(Names::kernel(sampled.kernel[i] - (i > 0 ? 1 : 0)));
  stacks_.push_back(std::move(stack));
}

// Asks for all that is not known, not for the first of it alone.
bool WaitingStacks::all_known(const Stack& stack, bool whatever,
                              std::vector<FunctionId>& functions) {
  bool known = true;
  functions.clear();
  for (const Names::Place& place : stack.places) {
    const auto function = names_.function_of(place);
    known = known && (function || whatever);
    functions.push_back(function.value_or(Names::kOther));
  }
  return known;
}

void WaitingStacks::settle(const Account& account) {
  std::vector<FunctionId> functions;
  size_t surplus = stacks_.size() > kMost ? stacks_.size() - kMost : 0;
  std::erase_if(stacks_, [&](const Stack& stack) {
    const bool whatever = surplus > 0;
    if (whatever) surplus--;
    if (!all_known(stack, whatever, functions)) return false;
    account(stack.slot, functions, stack.samples);
    return true;
  });
}

uint64_t WaitingStacks::samples() const {
  uint64_t all = 0;
  for (const Stack& stack : stacks_) all += stack.samples;
  return all;
}

}  // namespace nz::probes::profile
