// From the text of a listen address to a listening socket.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>

#include "userspace/base/fd.h"
#include "userspace/base/result.h"

namespace nz::http {

struct ListenAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
};

/// Parses "127.0.0.1:9718", "[::1]:9718" or "localhost:9718"; port 0 lets the kernel choose one.
/// Errors: not an address with a port, and every address other hosts can reach: those need TLS and
/// a token (DESIGN section 6), which this version does not have.
Result<ListenAddress> parse_listen_address(const std::string& text);

struct Listener {
  Fd socket;  ///< non-blocking, close-on-exec
  std::uint16_t port = 0;
};

/// Binds and listens. Errors name the address and, where the port is taken, what to do.
Result<Listener> listen_on(const std::string& address);

}  // namespace nz::http
