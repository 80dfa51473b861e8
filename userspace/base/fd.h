// An owned file descriptor: closed once, moved, never copied.
#pragma once

#include <unistd.h>

#include <utility>

#include "userspace/base/closing.h"

namespace nz {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool valid() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1) {
    if (fd_ >= 0 && !ClosingTogether::take(fd_)) close(fd_);
    fd_ = fd;
  }

 private:
  int fd_ = -1;
};

}  // namespace nz
