#include "userspace/resources/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

namespace nz::resources {
namespace {

constexpr size_t kFirstBytes = 16384;

}  // namespace

int File::open() {
  // O_NONBLOCK: whatever stands at this path, a reading never waits.
  fd_.reset(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  return fd_.valid() ? 0 : errno;
}

// A file of many records is handed out in pieces, so only an empty reading is the end.
int File::fill(Buffer& buffer, size_t& length) const {
  length = 0;
  for (;;) {
    if (length == buffer.size()) {
      if (length >= kMostBytes) return EFBIG;
      buffer.resize(std::max(kFirstBytes, buffer.size() * 2));
    }
    const ssize_t n = pread(fd_.get(), buffer.data() + length, buffer.size() - length,
                            static_cast<off_t>(length));
    if (n == 0) return 0;
    if (n > 0) {
      length += static_cast<size_t>(n);
    } else if (errno != EINTR) {
      return errno;
    }
  }
}

Result<std::string_view> File::read(Buffer& buffer) {
  const bool was_open = fd_.valid();
  size_t length = 0;
  int error = was_open ? fill(buffer, length) : EBADF;
  if (error != 0 && error != EFBIG) {
    error = open();
    if (error == 0) error = fill(buffer, length);
  }
  if (error == 0) return std::string_view(buffer.data(), length);
  fd_.reset();
  return fail_errno("read " + path_, error);
}

Result<std::string_view> File::read_once(Buffer& buffer) {
  auto text = read(buffer);
  fd_.reset();
  return text;
}

}  // namespace nz::resources
