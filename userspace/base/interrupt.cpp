#include "userspace/base/interrupt.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <limits>

namespace nz {
namespace {

volatile std::sig_atomic_t flag = 0;
int event = -1;  // for the life of the process

void on_signal(int number) {
  const int before = errno;
  flag = 1;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(event, &one, sizeof(one));
  if (number == SIGINT) std::signal(SIGINT, SIG_DFL);
  errno = before;
}

}  // namespace

void catch_interrupts() {
  if (event < 0) event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) std::signal(number, on_signal);
  std::signal(SIGPIPE, SIG_IGN);
}

bool interrupted() { return flag != 0; }

int interrupt_fd() { return event; }

void sleep_until_or_interrupt(std::chrono::steady_clock::time_point when) {
  using Clock = std::chrono::steady_clock;
  for (auto now = Clock::now(); !interrupted() && now < when; now = Clock::now()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(when - now).count();
    pollfd signal{event, POLLIN, 0};
    poll(&signal, 1, static_cast<int>(std::min<int64_t>(left, std::numeric_limits<int>::max())));
  }
}

}  // namespace nz
