// A port where monitoring asks whether the service is up.
#pragma once

#include <atomic>
#include <cstdint>

namespace demo {

class StatusPort {
 public:
  // Listens at this port of loopback; 0: nowhere. Throws std::system_error.
  explicit StatusPort(uint64_t port);
  ~StatusPort();
  StatusPort(const StatusPort&) = delete;
  StatusPort& operator=(const StatusPort&) = delete;

  bool listens() const { return fd_ >= 0; }
  // Answers each connection with a line and ends it, until `stop`; g_switches.stop_accepting.
  void serve(const std::atomic<bool>& stop) const;

 private:
  int fd_ = -1;
};

}  // namespace demo
