#include "userspace/resources/block_devices.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <filesystem>

namespace nz::resources {

std::string whole_device(const Paths& paths, const std::string& number) {
  const std::string link = paths.sys + "/dev/block/" + number;
  std::array<char, PATH_MAX> target{};
  const ssize_t length = readlink(link.c_str(), target.data(), target.size());
  if (length <= 0) return {};
  const std::filesystem::path device(std::string(target.data(), static_cast<size_t>(length)));
  const bool partition = access((link + "/partition").c_str(), F_OK) == 0;
  std::string name = (partition ? device.parent_path() : device).filename().string();
  std::replace(name.begin(), name.end(), '!', '/');  // "cciss!c0d0" is cciss/c0d0
  return name;
}

std::string whole_device(const Paths& paths, dev_t number) {
  return whole_device(paths, std::to_string(major(number)) + ":" + std::to_string(minor(number)));
}

std::string device_of(const Paths& paths, const Mounts& mounts, const Mount& mount) {
  std::string name = whole_device(paths, mount.device_number);
  if (!name.empty() || !mount.source.starts_with("/dev/")) return name;
  struct stat source {};
  if (stat(mounts.reach(mount.source).c_str(), &source) != 0 || !S_ISBLK(source.st_mode)) return {};
  return whole_device(paths, source.st_rdev);
}

bool is_whole_device(const Paths& paths, const std::string& name) {
  std::string folder = name;
  std::replace(folder.begin(), folder.end(), '/', '!');
  return access((paths.sys + "/block/" + folder).c_str(), F_OK) == 0;
}

}  // namespace nz::resources
