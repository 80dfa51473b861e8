// Follows targets through start, fork, exec, restart and exit. Pure bookkeeping: it is told what
// happened (by kernel events and by scans of /proc) and answers what to do.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "userspace/config/config.h"
#include "userspace/targets/process.h"

namespace nz::targets {

/// A process that belongs to a target.
struct Member {
  Process process;
  uint32_t slot = 0;     ///< 1..NZ_MAX_TARGETS
  bool by_fork = false;  ///< a child of a member, whether or not it matches by itself
};

struct Change {
  enum class Kind { added, removed } kind;
  Member member;
};

class Tracker {
 public:
  using Reader = std::optional<Process> (*)(pid_t, const std::string&);

  explicit Tracker(Reader reader = &read_process) : reader_(reader) {}

  /// Takes over a new configuration. A name keeps its slot for the agent's life, even when it goes
  /// and comes back: what the kernel has counted in a slot never appears under another name.
  /// Members of targets that are gone or no longer match are removed.
  std::vector<Change> configure(const std::vector<config::Target>& targets);

  /// Looks at every process: new matches are added, dead members removed. Also finds what events
  /// missed (ring full), processes whose command or cgroup changed, and children that a member had
  /// before it was one (those whose parent is gone cannot be known).
  std::vector<Change> scan(const std::vector<pid_t>& pids);
  /// `pid` has executed a new image: its probes are void; it may match now, or no longer.
  std::vector<Change> on_exec(pid_t pid);
  /// The kernel has already made `child` a member because its parent is one and forks are followed.
  /// The parent itself may be gone: daemons fork twice.
  std::vector<Change> on_fork(pid_t child, uint32_t slot);
  std::vector<Change> on_exit(pid_t pid);

  [[nodiscard]] const std::map<pid_t, Member>& members() const { return members_; }
  /// Another number whenever members or targets are no longer what they were.
  [[nodiscard]] std::uint64_t version() const { return version_; }
  /// Target of a slot; nullptr when free.
  [[nodiscard]] const config::Target* target(uint32_t slot) const;
  [[nodiscard]] std::vector<uint32_t> slots() const;
  /// Names of configured targets that found no slot: reloads have used all of them up.
  [[nodiscard]] const std::vector<std::string>& without_slot() const { return without_slot_; }

 private:
  std::vector<Change> look_at(const Process& process);
  void adopt(const std::vector<Process>& processes, std::vector<Change>& changes);
  void add(const Member& member, std::vector<Change>& changes);
  void remove(pid_t pid, std::vector<Change>& changes);
  [[nodiscard]] uint32_t slot_for(const Process& process) const;

  Reader reader_;
  std::map<std::string, uint32_t> slot_of_;     // every name that ever was
  std::map<uint32_t, config::Target> targets_;  // by slot
  std::vector<std::string> without_slot_;
  std::map<pid_t, Member> members_;
  std::uint64_t version_ = 0;
};

}  // namespace nz::targets
