// The exchange side: a thread that reads acknowledgements from one connection per worker.
#pragma once

#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace demo {

inline constexpr size_t kAckBytes = 64;

class Gateway {
 public:
  // transport: "tcp" (loopback) or "unix" (socketpair). Throws std::system_error.
  Gateway(const std::string& transport, size_t workers);
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  void start();
  int worker_fd(size_t worker) const { return worker_fds_[worker]; }
  // Ends the connections and waits until everything that was sent has been read.
  void stop();
  uint64_t bytes() const { return bytes_; }  // after stop()

 private:
  void serve();
  std::vector<int> worker_fds_, gateway_fds_;
  std::thread thread_;
  uint64_t bytes_ = 0;
};

}  // namespace demo
