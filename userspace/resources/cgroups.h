// The cgroups of targets: where a process is in the hierarchies, and what its groups allow it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/resources/cgroup.h"
#include "userspace/resources/mounts.h"

namespace nz::resources {

/// A process's groups, from its own up to the hierarchy's root: a limit of any holds.
struct CgroupPlace {
  struct Level {
    std::string folder;  ///< as we can open it
    CgroupKind kind = CgroupKind::unified;
  };
  std::vector<Level> cpu, memory;
  /// In a hierarchy's root there is nothing of its own: pressure and use are the host's.
  bool memory_is_own = false;
  std::string pressure;  ///< folder of version 2; empty: the root
};

/// What the groups of a target's processes allow it together.
struct CgroupSummary {
  std::optional<double> cores;           ///< nothing: a process may use all CPUs
  std::optional<uint64_t> memory_limit;  ///< bytes; nothing: a process may use all memory
  std::optional<uint64_t> memory_used;   ///< bytes charged to its own groups
  Throttling throttling;                 ///< growth since the last collection
  /// Growth in µs of the group that waited most, by resource.
  std::array<std::optional<Pressure>, kPressureResources.size()> pressure;
};

class Cgroups {
 public:
  /// Folders followed at the same time; those above it are not read, and counted as errors.
  static constexpr size_t kFollowed = 256;

  /// The mounts have been read anew.
  void update(const Mounts& mounts);
  /// Begins a collection: each folder is read at most once in it.
  void begin() { round_++; }
  /// Where the process with this /proc/PID/cgroup is.
  [[nodiscard]] std::shared_ptr<const CgroupPlace> place(const std::string& text);

  [[nodiscard]] CgroupSummary summary(
      Context& context, const std::vector<std::shared_ptr<const CgroupPlace>>& places);
  /// Ends the collection: forgets the folders and places that nobody asked for.
  void end();

 private:
  struct Hierarchy {
    std::string folder, root;
    CgroupKind kind = CgroupKind::unified;
  };
  struct Followed {
    Cgroup cgroup;
    unsigned round = 0;
    bool own = false;
  };
  struct Known {
    std::shared_ptr<const CgroupPlace> place;
    unsigned round = 0;
  };
  [[nodiscard]] CgroupPlace locate(std::string_view text) const;
  [[nodiscard]] static std::vector<CgroupPlace::Level> levels(const Hierarchy& hierarchy,
                                                              std::string_view path);
  std::vector<const Cgroup*> read_all(Context& context,
                                      const std::vector<CgroupPlace::Level>& levels, bool own);
  const Cgroup* read(Context& context, const CgroupPlace::Level& level, bool own);

  std::optional<Hierarchy> cpu_v1_, memory_v1_, unified_;
  std::map<std::string, Known> places_;       // by text
  std::map<std::string, Followed> followed_;  // by folder
  unsigned round_ = 0;
};

}  // namespace nz::resources
