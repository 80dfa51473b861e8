#include "tests/workloads/demo/gateway.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "tests/workloads/common/sockets.h"

namespace demo {

using nz::workload::must;

Gateway::Gateway(const std::string& transport, size_t workers) {
  for (size_t i = 0; i < workers; ++i) {
    const auto [worker, gateway] =
        transport == "tcp" ? nz::workload::tcp_pair() : nz::workload::unix_pair();
    worker_fds_.push_back(worker);
    gateway_fds_.push_back(gateway);
  }
}

Gateway::~Gateway() {
  stop();
  for (int fd : worker_fds_) close(fd);
  for (int fd : gateway_fds_) close(fd);
}

void Gateway::start() {
  thread_ = std::thread([this] { serve(); });
}

void Gateway::stop() {
  if (!thread_.joinable()) return;
  for (int fd : worker_fds_) shutdown(fd, SHUT_WR);
  thread_.join();
}

void Gateway::serve() {
  const int epoll = must(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
  for (int fd : gateway_fds_) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    must(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
  }
  size_t open = gateway_fds_.size();
  std::array<char, 64 * kAckBytes> buffer{};
  while (open > 0) {
    std::array<epoll_event, 16> events{};
    const int ready = epoll_wait(epoll, events.data(), events.size(), -1);
    for (int i = 0; i < ready; ++i) {
      const int fd = events[static_cast<size_t>(i)].data.fd;
      const ssize_t got = read(fd, buffer.data(), buffer.size());
      if (got > 0) {
        bytes_ += static_cast<uint64_t>(got);
      } else {
        epoll_ctl(epoll, EPOLL_CTL_DEL, fd, nullptr);
        --open;
      }
    }
  }
  close(epoll);
}

}  // namespace demo
