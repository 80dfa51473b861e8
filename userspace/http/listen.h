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

/// Who may reach a listen address: other hosts only where TLS and tokens protect it.
enum class Reach { this_host, other_hosts };

/// Parses "127.0.0.1:9718", "[::1]:9718" or "localhost:9718"; port 0 lets the kernel choose one.
/// Errors: not an address with a port; an address that other hosts can reach, unless `reach` allows
/// it: the remedy names the configuration keys that would.
Result<ListenAddress> parse_listen_address(const std::string& text, Reach reach = Reach::this_host);

struct Listener {
  Fd socket;  ///< non-blocking, close-on-exec
  std::uint16_t port = 0;
};

/// Binds and listens. Errors name the address and, where the port is taken, what to do.
Result<Listener> listen_on(const std::string& address, Reach reach = Reach::this_host);

}  // namespace nz::http
