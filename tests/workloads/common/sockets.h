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

/// A TCP connection to a port of this host, without Nagle's delay; -1 where nobody listens (errno).
inline int connect_to_loopback(uint64_t port) {
  const int fd = must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
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
  const int listener = must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  must(bind(listener, generic, length), "bind");
  must(listen(listener, 1), "listen");
  must(getsockname(listener, generic, &length), "getsockname");
  const int connects = must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
  must(connect(connects, generic, length), "connect");
  const int accepts = must(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC), "accept");
  close(listener);
  const int now = 1;
  for (const int fd : {connects, accepts})
    must(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &now, sizeof now), "TCP_NODELAY");
  return {connects, accepts};
}

/// Both ends of a Unix socket.
inline std::array<int, 2> unix_pair() {
  std::array<int, 2> fds{};
  must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()), "socketpair");
  return fds;
}

}  // namespace nz::workload
