#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>

#include "userspace/base/fd.h"
#include "userspace/config/config.h"
#include "userspace/config/document.h"
#include "userspace/config/text_file.h"

namespace nz::config {
namespace {

constexpr const char* kTooLarge = "larger than 1 MiB";
constexpr const char* kTooLargeRemedy =
    "is this a nearzero configuration? They are a few kilobytes";

/// At most one byte more than a configuration may have.
Result<std::string> read_bounded(int fd, const std::string& path) {
  std::string text;
  std::array<char, 65536> buffer;
  while (text.size() <= Document::kMostBytes) {
    const ssize_t got = read(fd, buffer.data(), buffer.size());
    if (got == 0) return text;
    if (got < 0) {
      if (errno == EINTR) continue;
      return fail_errno(path, errno, "check the file system it is on");
    }
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return fail(path + ": " + kTooLarge, kTooLargeRemedy, EFBIG);
}

}  // namespace

Result<std::string> read_text_file(const std::string& path) {
  // Non-blocking, or a named pipe without a writer would hold the agent's start for ever.
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd.valid()) {
    const int error = errno;
    const char* remedy = error == ENOENT   ? "check the path, or start from configs/nearzero.yaml"
                         : error == EACCES ? "run as root, or make the file readable"
                                           : "give the path of a YAML file";
    return fail_errno(path, error, remedy);
  }
  struct stat status {};
  if (fstat(fd.get(), &status) != 0) return fail_errno(path, errno);
  if (S_ISDIR(status.st_mode)) {
    return fail(path + ": is a directory", "give the path of a YAML file in it", EISDIR);
  }
  if (S_ISREG(status.st_mode) && static_cast<std::size_t>(status.st_size) > Document::kMostBytes) {
    return fail(path + ": " + kTooLarge, kTooLargeRemedy, EFBIG);
  }
  // A pipe that has a writer (`--config <(generate)`) may be read at its pace.
  fcntl(fd.get(), F_SETFL, fcntl(fd.get(), F_GETFL) & ~O_NONBLOCK);
  return read_bounded(fd.get(), path);
}

Result<Config> load_file(const std::string& path) {
  auto text = read_text_file(path);
  if (!text) return tl::unexpected(text.error());
  return parse(*text, path);
}

}  // namespace nz::config
