// Families of the targets: their processes together, and what their cgroups allow them.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "userspace/resources/cgroups.h"
#include "userspace/resources/processes.h"

namespace nz::resources {

class Targets {
 public:
  explicit Targets(const Paths& paths) : processes_(paths.proc) {}
  /// The mounts have been read anew.
  void update(const Mounts& mounts) { cgroups_.update(mounts); }
  /// `now`: clock ticks after boot. `swap`: the host has some. `pressure`: the family that the
  /// host's rows are in.
  void collect(Context& context, const std::vector<TargetProcesses>& targets, uint64_t now,
               bool swap, Rows& pressure);
  /// As of the last collection.
  [[nodiscard]] const Processes& processes() const { return processes_; }

 private:
  struct Waits {  // since the target was first seen
    Throttling throttling;
    std::array<std::optional<Pressure>, kPressureResources.size()> pressure;
  };
  void usage(Context& context, const std::vector<TargetProcesses>& targets) const;
  void moment(Context& context, const std::vector<TargetProcesses>& targets,
              const std::map<std::string, CgroupSummary>& groups) const;
  void waits(Context& context, const std::vector<TargetProcesses>& targets,
             const std::map<std::string, CgroupSummary>& groups, Rows& pressure);
  [[nodiscard]] std::vector<const Processes::Followed*> members(const std::string& target) const;

  Processes processes_;
  Cgroups cgroups_;
  std::map<std::string, Waits> waits_;
};

}  // namespace nz::resources
