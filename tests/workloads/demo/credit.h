// The counterpart that an order may wait for: a credit service, another process.
#pragma once

#include <cstddef>
#include <cstdint>

namespace demo {

inline constexpr size_t kCreditBytes = 64;  // of a question and of its answer

// A connection to the service, used by one worker.
class CreditLine {
 public:
  // To this port of loopback; 0: there is no such service. Throws std::system_error.
  explicit CreditLine(uint64_t port);
  ~CreditLine();
  CreditLine(const CreditLine&) = delete;
  CreditLine& operator=(const CreditLine&) = delete;

  // Waits for the answer. False: the service has gone. True without a service.
  bool ask(uint32_t account) const;

 private:
  int fd_ = -1;
};

}  // namespace demo
