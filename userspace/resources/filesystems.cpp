#include "userspace/resources/filesystems.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <array>
#include <map>

#include "userspace/resources/block_devices.h"

namespace nz::resources {
namespace {

constexpr std::array<std::string_view, 16> kOnDisks = {
    "ext2", "ext3",     "ext4", "xfs",   "btrfs", "f2fs",   "zfs",     "bcachefs",
    "jfs",  "reiserfs", "vfat", "exfat", "ntfs3", "nilfs2", "hfsplus", "ufs"};
// A path walk through one of these may wait for a server or for a process.
constexpr std::array<std::string_view, 12> kMayWait = {"nfs",  "cifs",  "smb",    "ceph",
                                                       "fuse", "9p",    "afs",    "lustre",
                                                       "gfs2", "ocfs2", "autofs", "virtiofs"};

bool is_on_disk(const Mount& mount) {
  return std::find(kOnDisks.begin(), kOnDisks.end(), mount.type) != kOnDisks.end();
}

bool may_wait(const Mount& mount) {
  return std::any_of(kMayWait.begin(), kMayWait.end(),
                     [&](std::string_view prefix) { return mount.type.starts_with(prefix); });
}

bool is_below(const std::string& point, const std::string& folder) {
  return point.size() > folder.size() && point.starts_with(folder) &&
         (folder == "/" || point[folder.size()] == '/');
}

// Memory that programs fill: /dev/shm, /run, /tmp; not the folders that carry other mounts, nor
// those of each session and service.
bool is_wanted_tmpfs(const Mount& mount) {
  if (mount.type != "tmpfs" || mount.has_option("ro")) return false;
  const auto below = [&](const char* folder) { return is_below(mount.point, folder); };
  return !below("/sys") && !below("/proc") && !below("/run") && !below("/var/lib");
}

struct Figures {
  std::array<double, 3> bytes{}, inodes{};  // size, free, available
};
constexpr std::array<const char*, 3> kKinds = {"size", "free", "available"};

bool ask(const std::string& path, Figures& figures) {
  struct statvfs s {};
  if (statvfs(path.c_str(), &s) != 0) return false;
  const auto block = static_cast<double>(s.f_frsize);
  figures.bytes = {static_cast<double>(s.f_blocks) * block, static_cast<double>(s.f_bfree) * block,
                   static_cast<double>(s.f_bavail) * block};
  figures.inodes = {static_cast<double>(s.f_files), static_cast<double>(s.f_ffree),
                    static_cast<double>(s.f_favail)};
  return true;
}

}  // namespace

std::vector<LocalFilesystem> choose_local(const Paths& paths, const Mounts& mounts) {
  // What is mounted later over the same point hides what was there.
  std::map<std::string, const Mount*> visible;
  std::vector<const Mount*> waiting;
  for (const Mount& mount : mounts.all()) {
    visible[mount.point] = &mount;
    if (may_wait(mount)) waiting.push_back(&mount);
  }
  std::map<std::string, const Mount*> best;  // by file system
  for (const Mount& mount : mounts.all()) {
    if (visible[mount.point] != &mount || !(is_on_disk(mount) || is_wanted_tmpfs(mount))) continue;
    if (std::any_of(waiting.begin(), waiting.end(),
                    [&](const Mount* w) { return is_below(mount.point, w->point); })) {
      continue;
    }
    const bool by_source = mount.source.starts_with("/dev/");  // btrfs: a number for each subvolume
    const Mount*& chosen = best[by_source ? mount.source : mount.device_number];
    const auto rank = [](const Mount& m) { return std::pair(m.root != "/", m.point.size()); };
    if (chosen == nullptr || rank(mount) < rank(*chosen)) chosen = &mount;
  }
  std::set<const Mount*> kept;
  for (const auto& [key, mount] : best) kept.insert(mount);
  std::vector<LocalFilesystem> result;
  for (const Mount& mount : mounts.all()) {
    if (!kept.contains(&mount)) continue;
    std::string device = device_of(paths, mounts, mount);
    result.push_back({mount.point, device.empty() ? mount.type : std::move(device)});
  }
  std::stable_partition(result.begin(), result.end(),
                        [](const LocalFilesystem& f) { return f.point == "/"; });
  return result;
}

void Filesystems::update(const Mounts& mounts) {
  chosen_ = choose_local(paths_, mounts);
  devices_.clear();
  for (const Mount& mount : mounts.all()) {
    if (may_wait(mount)) continue;
    std::string device = device_of(paths_, mounts, mount);
    if (!device.empty()) devices_.insert(std::move(device));
  }
}

void Filesystems::collect(Context& context, const Mounts& mounts) {
  Rows bytes(context, "nearzero_filesystem_bytes", "Space of a local file system in bytes.",
             kGauge);
  Rows inodes(context, "nearzero_filesystem_inodes", "Inodes of a local file system.", kGauge);
  const auto show = [&](const std::string& mount, const std::string& device, const Figures& f) {
    for (size_t k = 0; k < kKinds.size(); k++) {
      const metrics::Labels labels{{"mount", mount}, {"device", device}, {"kind", kKinds[k]}};
      bytes.add(labels, f.bytes[k]);
      if (f.inodes[0] > 0) inodes.add(labels, f.inodes[k]);  // btrfs has no fixed number of them
    }
  };
  Figures other;
  for (size_t i = 0; i < std::min(chosen_.size(), kAsked); i++) {
    Figures figures;
    if (!ask(mounts.reach(chosen_[i].point), figures)) {
      context.errors.count(Source::filesystems, Error{{}, {}, errno});
      continue;
    }
    if (i < kNamed) {
      show(chosen_[i].point, chosen_[i].device, figures);
      continue;
    }
    for (size_t k = 0; k < kKinds.size(); k++) {
      other.bytes[k] += figures.bytes[k];
      other.inodes[k] += figures.inodes[k];
    }
  }
  if (unnamed() > 0) show("other", "other", other);
}

}  // namespace nz::resources
