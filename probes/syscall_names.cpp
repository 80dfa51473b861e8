#include "probes/syscall_names.h"

#include <seccomp.h>

#include <cstdlib>
#include <cstring>
#include <utility>

namespace nz::probes {

namespace {

// Younger than Debian 12's libseccomp (2.5.4 ends at 450). Numbers from the kernel's
// arch/x86/entry/syscalls/syscall_64.tbl of 6.18. 335 and 336 are no calls of the program: the
// kernel's own way back from optimised return probes and probes, so they are the price of
// observing.
constexpr std::pair<uint32_t, const char*> kYounger[] = {
    {335, "uretprobe"},         {336, "uprobe"},
    {451, "cachestat"},         {452, "fchmodat2"},
    {453, "map_shadow_stack"},  {454, "futex_wake"},
    {455, "futex_wait"},        {456, "futex_requeue"},
    {457, "statmount"},         {458, "listmount"},
    {459, "lsm_get_self_attr"}, {460, "lsm_set_self_attr"},
    {461, "lsm_list_modules"},  {462, "mseal"},
    {463, "setxattrat"},        {464, "getxattrat"},
    {465, "listxattrat"},       {466, "removexattrat"},
    {467, "open_tree_attr"},    {468, "file_getattr"},
    {469, "file_setattr"}};

}  // namespace

std::string syscall_name(uint32_t number) {
  for (const auto& [known, name] : kYounger) {
    if (known == number) return name;
  }
  char* name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, static_cast<int>(number));
  if (name == nullptr) return "syscall_" + std::to_string(number);
  std::string result = name;
  std::free(name);  // libseccomp: "the caller is responsible for freeing the returned string"
  return result;
}

std::string errno_name(uint32_t number) {
  const char* name = strerrorname_np(static_cast<int>(number));
  return name != nullptr ? name : "errno_" + std::to_string(number);
}

}  // namespace nz::probes
