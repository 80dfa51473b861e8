// What happens to targets that may explain why their figures change: starts, ends, new builds.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "analysis/event.h"
#include "userspace/base/result.h"
#include "userspace/targets/tracker.h"

namespace nz::agent {

class TargetEvents {
 public:
  /// Identity of the program that a process runs: its build id; empty where it has none.
  using BuildOf = std::function<std::string(const targets::Process&)>;
  explicit TargetEvents(BuildOf build_of) : build_of_(std::move(build_of)) {}

  /// What has changed since the last call; with the first, what runs was there before. Children
  /// that a member forked are none: a service that forks for its work would drown the rest. Always
  /// of the same tracker.
  std::vector<analysis::Event> step(double now, const targets::Tracker& tracker);

  /// Builds that were seen before a restart: what was deployed since is told by the first step.
  /// Error: it is not what save() wrote; then it is as if nothing had been seen.
  Result<void> restore(const std::string& saved);
  /// For restore(); nothing where no build has changed since the last call.
  std::optional<std::string> save();

 private:
  struct Known {
    std::string target, name;
    uint64_t start_time = 0;
  };
  struct Build {
    std::string id;
    double seen = 0;  // Unix seconds, when it was started last
  };
  void started(double now, const std::string& target, const targets::Process& process,
               std::vector<analysis::Event>& out);

  BuildOf build_of_;
  std::map<pid_t, Known> known_;
  std::map<std::string, Build> builds_;  // by target and executable
  bool builds_changed_ = false;
  bool first_ = true;
  std::uint64_t version_ = 0;  // of the tracker, when it was looked at last
};

/// The build id of /proc/PID/exe.
std::string build_of(const targets::Process& process);

}  // namespace nz::agent
