#include "tests/workloads/demo/gateway.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace demo {
namespace {

int must(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

std::pair<int, int> connect_loopback() {
  const int listener = must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  must(bind(listener, generic, length), "bind");
  must(listen(listener, 1), "listen");
  must(getsockname(listener, generic, &length), "getsockname");
  const int worker = must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
  must(connect(worker, generic, length), "connect");
  const int one = 1;
  must(setsockopt(worker, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one), "TCP_NODELAY");
  const int gateway = must(accept(listener, nullptr, nullptr), "accept");
  close(listener);
  return {worker, gateway};
}

std::pair<int, int> connect_unix() {
  std::array<int, 2> fds{};
  must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()), "socketpair");
  return {fds[0], fds[1]};
}

}  // namespace

Gateway::Gateway(const std::string& transport, size_t workers) {
  for (size_t i = 0; i < workers; ++i) {
    const auto [worker, gateway] = transport == "tcp" ? connect_loopback() : connect_unix();
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
