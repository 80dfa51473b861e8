#include "userspace/http/secret_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "userspace/base/fd.h"

namespace nz::http {
namespace {

constexpr off_t kMostBytes = off_t{256} * 1024;

}  // namespace

Result<std::string> read_protected(const std::string& path, const std::string& key, bool secret) {
  const std::string place = key + ": " + path;
  // Non-blocking: a named pipe must not hold the agent.
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd.valid()) {
    return fail_errno(place, errno, "give the path of a file that the agent may read");
  }
  struct stat status {};
  if (fstat(fd.get(), &status) != 0) return fail_errno(place, errno);
  if (!S_ISREG(status.st_mode)) return fail(place + ": not a regular file", "", EINVAL);
  if (status.st_size > kMostBytes) {
    return fail(place + ": larger than 256 KB", "is it the right file?", EFBIG);
  }
  if (secret && (status.st_mode & S_IRWXO) != 0) {
    return fail(place + ": every user of this host may read or change it", "chmod 600 " + path);
  }
  std::string text;
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t got = read(fd.get(), buffer.data(), buffer.size());
    if (got == 0) return text;
    if (got < 0) return fail_errno(place, errno);
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > static_cast<std::size_t>(kMostBytes)) {
      return fail(place + ": larger than 256 KB", "is it the right file?", EFBIG);
    }
  }
}

}  // namespace nz::http
