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

bool is_loopback(std::string_view host) {
  // Of figures alone: 127.0.0.1.example is the name of another host.
  const bool figures = host.find_first_not_of("0123456789.") == std::string_view::npos;
  return host == "localhost" || host == "::1" || (host.starts_with("127.") && figures);
}

bool can_be_overheard(std::string_view url) {
  if (url.starts_with("https://")) return false;
  const std::size_t scheme = url.find("://");
  if (scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
  const std::string_view authority = url.substr(0, url.find_first_of("/?#"));
  const std::string_view host = authority.starts_with('[')
                                    ? authority.substr(1, authority.find(']') - 1)
                                    : authority.substr(0, authority.find(':'));
  return !is_loopback(host);
}

}  // namespace nz::http
