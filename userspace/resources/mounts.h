// The host's mount table: which file systems there are, and where the cgroup hierarchies stand.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "userspace/resources/context.h"

namespace nz::resources {

struct Mount {
  std::string device_number;  ///< "254:0"
  std::string root;           ///< what of the file system is mounted: "/", "/docker/abc"
  std::string point;          ///< where, as the host sees it
  std::string type;           ///< "ext4", "cgroup2"
  std::string source;         ///< "/dev/vda"
  std::string options;        ///< of the file system: "rw,cpu,cpuacct"

  /// Whether the comma-separated options have this one.
  [[nodiscard]] bool has_option(std::string_view option) const;
};

/// Rows of /proc/PID/mountinfo; those that are not rows of such a table are counted in `malformed`.
std::vector<Mount> parse_mountinfo(std::string_view text, uint64_t& malformed);

/// The process whose view of mounts and network is the host's: "1" where we may look through its
/// root, else "self" (we are the host, or in a container that may see nothing else).
std::string host_process(const Paths& paths);

class Mounts {
 public:
  /// Even without a notice the table is read anew after this many refreshes.
  static constexpr unsigned kAtLeastEvery = 60;

  explicit Mounts(const Paths& paths);
  /// Reads the table when the kernel says that it has changed: reading it holds a lock of every
  /// mount, and hosts with containers have thousands. Returns whether it was read.
  bool refresh(Context& context);
  [[nodiscard]] const std::vector<Mount>& all() const { return mounts_; }
  /// `point`, a path of the host, as we can open it.
  [[nodiscard]] std::string reach(const std::string& point) const { return root_ + point; }

 private:
  [[nodiscard]] bool changed() const;

  std::string root_;
  File table_;
  std::vector<Mount> mounts_;
  unsigned refreshes_ = 0;
};

}  // namespace nz::resources
