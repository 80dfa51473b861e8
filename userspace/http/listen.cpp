#include "userspace/http/listen.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>

namespace nz::http {
namespace {

constexpr const char* kExamples = "use for example 127.0.0.1:9718, localhost:9718 or [::1]:9718";
constexpr int kBacklog = 512;  // connections the kernel holds while a handler runs

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return port;
}

tl::unexpected<Error> reachable_from_outside(const std::string& text) {
  return fail(
      "listen address '" + text + "': other hosts could reach it without TLS and a token",
      "set http.tls.certificate, http.tls.key and http.token_file, or listen on 127.0.0.1 or "
      "[::1] only");
}

template <class Address>
ListenAddress to_storage(const Address& address) {
  ListenAddress result;
  std::memcpy(&result.storage, &address, sizeof address);
  result.length = sizeof address;
  return result;
}

std::uint16_t bound_port(int fd) {
  sockaddr_storage bound{};
  socklen_t length = sizeof bound;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &length) != 0) return 0;
  if (bound.ss_family == AF_INET6) {
    return ntohs(reinterpret_cast<const sockaddr_in6&>(bound).sin6_port);
  }
  return ntohs(reinterpret_cast<const sockaddr_in&>(bound).sin_port);
}

}  // namespace

Result<ListenAddress> parse_listen_address(const std::string& text, Reach reach) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) {
    return fail("listen address '" + text + "' has no port", kExamples);
  }
  const auto port = parse_port(std::string_view(text).substr(colon + 1));
  if (!port) {
    return fail("listen address '" + text + "': the port is not a number from 0 to 65535",
                kExamples);
  }
  std::string host = text.substr(0, colon);
  const bool outside = reach == Reach::other_hosts;
  // ":9718" and "*:9718" mean every interface to most programs; here that is written out.
  if (host.empty() || host == "*") {
    if (!outside) return reachable_from_outside(text);
    return fail("listen address '" + text + "' has no address",
                "write 0.0.0.0:PORT or [::]:PORT for all interfaces");
  }
  if (host == "localhost") host = "127.0.0.1";

  if (host.front() == '[' && host.back() == ']') {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(*port);
    const std::string inner = host.substr(1, host.size() - 2);
    if (inet_pton(AF_INET6, inner.c_str(), &address.sin6_addr) != 1) {
      return fail("listen address '" + text + "': '" + inner + "' is not an IPv6 address",
                  kExamples);
    }
    if (!outside && !IN6_IS_ADDR_LOOPBACK(&address.sin6_addr)) return reachable_from_outside(text);
    return to_storage(address);
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(*port);
  if (inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) {
    return fail("listen address '" + text + "': '" + host + "' is not an IP address", kExamples);
  }
  if (!outside && (ntohl(address.sin_addr.s_addr) >> 24) != 127)
    return reachable_from_outside(text);
  return to_storage(address);
}

Result<Listener> listen_on(const std::string& text, Reach reach) {
  const auto address = parse_listen_address(text, reach);
  if (!address) return tl::unexpected(address.error());
  Fd fd(socket(address->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return fail_errno("listen on " + text, errno);
  // Restart at once, even while connections of the agent before linger in TIME_WAIT.
  const int on = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address->storage), address->length) != 0 ||
      listen(fd.get(), kBacklog) != 0) {
    const int error = errno;
    switch (error) {
      case EADDRINUSE:
        return fail_errno("listen on " + text, error,
                          "another agent? Stop it, or choose another address with "
                          "`nearzero agent --listen 127.0.0.1:PORT`; `ss -ltnp` names the process");
      case EACCES:
        return fail_errno("listen on " + text, error,
                          "ports below 1024 need CAP_NET_BIND_SERVICE: choose a higher one with "
                          "`nearzero agent --listen 127.0.0.1:PORT`");
      case EADDRNOTAVAIL:
        return fail_errno("listen on " + text, error, "this host does not have that address");
      default:
        return fail_errno("listen on " + text, error);
    }
  }
  const std::uint16_t port = bound_port(fd.get());
  return Listener{std::move(fd), port};
}

}  // namespace nz::http
