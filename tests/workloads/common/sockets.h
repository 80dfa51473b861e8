// What programs that talk to themselves need: a call that may not fail, and both ends of a socket.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <system_error>

namespace nz::workload {

/// The result of a system call; an exception that names it where it failed.
inline int must(long result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return static_cast<int>(result);
}

inline sockaddr_in loopback(uint64_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

/// A TCP socket that listens at this port of loopback; 0: at one that is free. `what` names the
/// port in the exception where it is taken.
inline int listen_on_loopback(uint64_t port, int backlog, const char* what) {
  const int fd = must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
  const int now = 1;
  must(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &now, sizeof now), "SO_REUSEADDR");
  const sockaddr_in address = loopback(port);
  must(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), what);
  must(listen(fd, backlog), "listen");
  return fd;
}

/// The port that a socket is bound to.
inline uint64_t port_of(int fd) {
  sockaddr_in address{};
  socklen_t length = sizeof address;
  must(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length), "getsockname");
  return ntohs(address.sin_port);
}

/// A TCP connection to a port of this host, without Nagle's delay; -1 where nobody listens (errno).
inline int connect_to_loopback(uint64_t port) {
  const int fd = must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
  const sockaddr_in address = loopback(port);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int why = errno;
    close(fd);
    errno = why;
    return -1;
  }
  const int now = 1;
  must(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &now, sizeof now), "TCP_NODELAY");
  return fd;
}

/// Both ends of a TCP connection over loopback, without Nagle's delay: who connected, who accepted.
inline std::array<int, 2> tcp_pair() {
  const int listener = listen_on_loopback(0, 1, "bind");
  const int connects = must(connect_to_loopback(port_of(listener)), "connect");
  const int accepts = must(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC), "accept");
  close(listener);
  const int now = 1;
  must(setsockopt(accepts, IPPROTO_TCP, TCP_NODELAY, &now, sizeof now), "TCP_NODELAY");
  return {connects, accepts};
}

/// Both ends of a Unix socket.
inline std::array<int, 2> unix_pair() {
  std::array<int, 2> fds{};
  must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()), "socketpair");
  return fds;
}

}  // namespace nz::workload
