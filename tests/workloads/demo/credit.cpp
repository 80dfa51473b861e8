#include "tests/workloads/demo/credit.h"

#include <array>
#include <cstdio>

#include "tests/workloads/common/sockets.h"

namespace demo {

CreditLine::CreditLine(uint64_t port) {
  if (port != 0) fd_ = nz::workload::must(nz::workload::connect_to_loopback(port), "--credit-port");
}

CreditLine::~CreditLine() {
  if (fd_ >= 0) close(fd_);
}

bool CreditLine::ask(uint32_t account) const {
  if (fd_ < 0) return true;
  std::array<char, kCreditBytes> frame{};
  std::snprintf(frame.data(), frame.size(), "CREDIT %u", account);
  // A question fits into the socket's buffer: it is sent whole, or not at all.
  if (send(fd_, frame.data(), frame.size(), MSG_NOSIGNAL) != ssize_t{kCreditBytes}) return false;
  return recv(fd_, frame.data(), frame.size(), MSG_WAITALL) == ssize_t{kCreditBytes};
}

}  // namespace demo
