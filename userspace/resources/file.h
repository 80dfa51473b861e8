// A file of the kernel that is read again and again.
#pragma once

#include <cerrno>
#include <string>
#include <string_view>

#include "userspace/base/fd.h"
#include "userspace/base/result.h"

namespace nz::resources {

/// Where the texts go, one after the other: one buffer serves every reader.
using Buffer = std::string;

/// Keeps its descriptor: the next reading costs no path walk. The kernel writes such files anew for
/// every reading from offset 0.
class File {
 public:
  /// From this size on a file is not what it should be, or the host not one we can serve.
  static constexpr size_t kMostBytes = size_t{4} << 20;

  File() = default;
  explicit File(std::string path) : path_(std::move(path)) {}

  /// The whole text, valid until the buffer is used again. Error: errno of open or read (ENOENT:
  /// there is no such file; ESRCH: the process has ended), EFBIG: kMostBytes or more. A
  /// descriptor that fails is opened anew once: a folder may have come back under its old name.
  Result<std::string_view> read(Buffer& buffer);
  /// Opens, and gives the descriptor back after every reading.
  Result<std::string_view> read_once(Buffer& buffer);
  /// Gives the descriptor back; the next reading opens it.
  void close() { fd_.reset(); }
  [[nodiscard]] bool is_open() const { return fd_.valid(); }
  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  int open();
  int fill(Buffer& buffer, size_t& length) const;

  std::string path_;
  Fd fd_;
};

/// The file, or the process that it tells of, is not there: no failure of ours.
inline bool is_absent(const Error& error) {
  return error.code == ENOENT || error.code == ESRCH || error.code == ENOTDIR ||
         error.code == ENODEV || error.code == EOPNOTSUPP;
}

}  // namespace nz::resources
