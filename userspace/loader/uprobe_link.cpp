#include "userspace/loader/uprobe_link.h"

#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <vector>

#include "userspace/loader/object.h"

namespace nz::loader {
namespace {

// The part of union bpf_attr that BPF_LINK_CREATE uses for uprobe_multi (6.6, commit 89ae89f53d20).
struct LinkCreateUprobeMulti {
  uint32_t prog_fd;
  uint32_t target_fd;
  uint32_t attach_type;
  uint32_t flags;
  uint64_t path;
  uint64_t offsets;
  uint64_t ref_ctr_offsets;
  uint64_t cookies;
  uint32_t count;
  uint32_t multi_flags;
  uint32_t pid;
  uint32_t padding;
};

constexpr uint32_t kUprobeMultiReturn = 1;  // BPF_F_UPROBE_MULTI_RETURN

std::string remedy_for(int error) {
  switch (error) {
    case ESRCH:
      return "the process has ended";
    case ENOENT:
      return "the file is gone";
    case EPERM:
    case EACCES:
      return "run as root";
    case EINVAL:
      return "an offset is not at an instruction in an executable segment, or the kernel refuses "
             "it";
    default:
      return {};
  }
}

// A file that is held open is given by its descriptor, which tells a reader nothing.
std::string shown(const std::string& path) {
  if (!path.starts_with("/proc/self/fd/")) return path;
  std::error_code unreadable;
  const auto file = std::filesystem::read_symlink(path, unreadable);
  return unreadable ? path : file.string();
}

}  // namespace

Result<Fd> create_uprobe_link(int program_fd, UprobeKind kind, const std::string& path, pid_t pid,
                              std::span<const UprobeSite> sites) {
  std::vector<uint64_t> offsets;
  std::vector<uint64_t> cookies;
  std::vector<uint64_t> semaphores;
  for (const UprobeSite& site : sites) {
    offsets.push_back(site.offset);
    cookies.push_back(site.cookie);
    semaphores.push_back(site.semaphore);
  }
  const bool any_semaphore = std::any_of(semaphores.begin(), semaphores.end(),
                                         [](uint64_t offset) { return offset != 0; });
  LinkCreateUprobeMulti attr;
  std::memset(&attr, 0, sizeof(attr));
  attr.prog_fd = static_cast<uint32_t>(program_fd);
  attr.attach_type =
      static_cast<uint32_t>(kind == UprobeKind::session ? kTraceUprobeSession : kTraceUprobeMulti);
  attr.multi_flags = kind == UprobeKind::function_return ? kUprobeMultiReturn : 0;
  attr.path = reinterpret_cast<uint64_t>(path.c_str());
  attr.offsets = reinterpret_cast<uint64_t>(offsets.data());
  // The kernel raises them while the link stands, and lowers them when it is closed.
  if (any_semaphore) attr.ref_ctr_offsets = reinterpret_cast<uint64_t>(semaphores.data());
  attr.cookies = reinterpret_cast<uint64_t>(cookies.data());
  attr.count = static_cast<uint32_t>(offsets.size());
  attr.pid = static_cast<uint32_t>(pid);
  const long fd = syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));
  if (fd < 0) {
    const int error = errno;  // before anything else can change it
    return fail_errno("attach " + std::to_string(sites.size()) + " uprobe(s) in " + shown(path),
                      error, remedy_for(error));
  }
  return Fd(static_cast<int>(fd));
}

}  // namespace nz::loader
