// Space and inodes of the host's local file systems.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "userspace/resources/mounts.h"

namespace nz::resources {

/// One to ask: each file system once, whatever its bind mounts.
struct LocalFilesystem {
  std::string point;   ///< as the host sees it
  std::string device;  ///< whole block device, or the type where there is none: "tmpfs"
};

/// Those that answer from memory. Left out: what lies in another host or a user's process (asking a
/// dead server never ends), what is always full (images) or repeats another (overlay), the kernel's
/// own, and what is mounted below any of the first kind. `/` first, then as mounted.
std::vector<LocalFilesystem> choose_local(const Paths& paths, const Mounts& mounts);

class Filesystems {
 public:
  static constexpr size_t kNamed = 32;   ///< mounts with rows of their own; the rest are summed
  static constexpr size_t kAsked = 512;  ///< mounts above it are not even summed, but counted

  explicit Filesystems(const Paths& paths) : paths_(paths) {}
  /// The mounts have been read anew.
  void update(const Mounts& mounts);
  void collect(Context& context, const Mounts& mounts);
  /// Whole devices that any file system lies on, images included.
  [[nodiscard]] const std::set<std::string>& devices() const { return devices_; }
  /// Mounts without rows of their own.
  [[nodiscard]] size_t unnamed() const {
    return chosen_.size() > kNamed ? chosen_.size() - kNamed : 0;
  }

 private:
  Paths paths_;
  std::vector<LocalFilesystem> chosen_;
  std::set<std::string> devices_;
};

}  // namespace nz::resources
