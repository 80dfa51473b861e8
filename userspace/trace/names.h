// What rows are called.
#pragma once

#include <map>
#include <span>
#include <string>

#include "nearzero/abi.h"
#include "userspace/loader/object.h"
#include "userspace/trace/calls.h"
#include "userspace/trace/recorder.h"

namespace nz::trace {

/// A row's place in the output.
struct RowName {
  std::string target;  ///< word of the command line: "runq", "offcpu", ...
  std::string what;    ///< "after wakeup", "lock", "read", the statement's text, the function
  bool timed = true;   ///< false: only counted
};

class Names {
 public:
  Names(const loader::Object& object, const Request& request, const std::vector<CallKind>& calls);

  /// Keeps a statement's text.
  void learn(const nz_event& event, std::span<const std::byte> bytes);
  [[nodiscard]] RowName name_of(uint32_t series) const;
  /// A row of system calls: RowKey::number is the errno, 0 where the call succeeded.
  [[nodiscard]] bool is_syscall(uint32_t series) const;
  /// What RowKey::number says there: a syscall, an errno, a lock's address, a device, a remote
  /// address. Empty: nothing.
  [[nodiscard]] std::string number_name(uint32_t series, uint64_t number) const;

 private:
  [[nodiscard]] RowName sched_name(uint32_t kind) const;
  [[nodiscard]] RowName sqlite_name(uint32_t series) const;
  [[nodiscard]] std::string syscall_of(uint32_t series) const;

  loader::Layout layout_;
  std::span<const uint64_t> assigned_;  // nz_syscall_series
  const std::vector<CallKind>& calls_;
  bool futex_ = false, pagefaults_ = false, offcpu_ = false;
  std::map<uint32_t, std::string> statements_;
  mutable std::map<uint32_t, std::string> syscalls_;  // by series
};

}  // namespace nz::trace
