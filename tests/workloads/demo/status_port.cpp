#include "tests/workloads/demo/status_port.h"

#include <poll.h>

#include <string_view>

#include "tests/workloads/common/sockets.h"
#include "tests/workloads/common/workload.h"
#include "tests/workloads/demo/switches.h"

namespace demo {
namespace {

constexpr int kBacklog = 4;
constexpr int kLookMs = 20;  // how soon a switch or the end is seen

}  // namespace

StatusPort::StatusPort(uint64_t port) {
  if (port != 0) fd_ = nz::workload::listen_on_loopback(port, kBacklog, "--status-port");
}

StatusPort::~StatusPort() {
  if (fd_ >= 0) close(fd_);
}

void StatusPort::serve(const std::atomic<bool>& stop) const {
  constexpr std::string_view kUp = "up\n";
  while (!stop.load(std::memory_order_relaxed)) {
    if (g_switches.stop_accepting.load(std::memory_order_relaxed)) {
      nz::workload::sleep_ns(uint64_t{kLookMs} * 1'000'000);
      continue;
    }
    pollfd waiting{fd_, POLLIN, 0};
    if (poll(&waiting, 1, kLookMs) <= 0) continue;
    const int client = accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;                            // it has gone
    send(client, kUp.data(), kUp.size(), MSG_NOSIGNAL);  // who has gone meanwhile needs none
    close(client);
  }
}

}  // namespace demo
