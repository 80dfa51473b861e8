#include "userspace/base/write_through.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

#include "userspace/base/fd.h"

namespace nz {
namespace {

const char* remedy_of(int error) {
  switch (error) {
    case ENXIO:
      return "start what reads from it first";
    case EPIPE:
      return "its reader has gone";
    case ENOSPC:
      return "is the disk full?";
    default:
      return "may you write to it?";
  }
}

}  // namespace

bool is_special(const std::string& path) {
  struct stat there {};
  return stat(path.c_str(), &there) == 0 && !S_ISREG(there.st_mode);
}

Result<void> write_through(const std::string& path, std::string_view text, bool wait) {
  const std::string tried = "write " + path;
  struct stat there {};
  if (stat(path.c_str(), &there) != 0)
    return fail_errno(tried, errno, "name a file, or remove the link if it leads nowhere");
  if (S_ISDIR(there.st_mode)) return fail_errno(tried, EISDIR, "name a file in it");
  // Opened only to be overwritten, nobody means that.
  if (S_ISBLK(there.st_mode)) return fail(tried + ": it is a disk", "name a file", ENOTSUP);
  const Fd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY | (wait ? 0 : O_NONBLOCK)));
  if (!fd.valid()) {
    const int error = errno;
    return fail_errno(tried, error, remedy_of(error));
  }
  // At the end of a link may be a file, with something in it.
  if (S_ISREG(there.st_mode) && ftruncate(fd.get(), 0) != 0) return fail_errno(tried, errno);
  std::size_t written = 0;
  while (written < text.size()) {
    const ssize_t n = write(fd.get(), text.data() + written, text.size() - written);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      const int error = n < 0 ? errno : EIO;
      return fail_errno(tried, error, remedy_of(error));
    }
    written += static_cast<std::size_t>(n);
  }
  return {};
}

}  // namespace nz
