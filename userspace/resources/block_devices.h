// Names of block devices: the whole disk behind a number, a partition or a path.
#pragma once

#include <sys/types.h>

#include <string>

#include "userspace/resources/mounts.h"

namespace nz::resources {

/// The kernel's name of the whole device ("nvme0n1" for its partition "nvme0n1p2") with this number
/// ("259:2"), by the links of /sys/dev/block. Empty where there is none.
std::string whole_device(const Paths& paths, const std::string& number);
/// The same, of a number as stat() has it: st_dev of a file, st_rdev of a block device.
std::string whole_device(const Paths& paths, dev_t number);

/// The whole device that a mount lies on, also of file systems with numbers of their own (btrfs).
/// Empty: none.
std::string device_of(const Paths& paths, const Mounts& mounts, const Mount& mount);

/// Whether /sys/block has it: a disk, a device-mapper volume, and no partition.
bool is_whole_device(const Paths& paths, const std::string& name);

}  // namespace nz::resources
