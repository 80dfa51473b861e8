// The agent's HTTP server: one thread, event-driven (libmicrohttpd on epoll), so that silent or
// slow clients cost a descriptor each and never a scrape.
//
//   auto server = http::Server::start({}, {{"GET", "/healthz", [](const auto&) { ... }}});
//   if (!server) return tl::unexpected(server.error());
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "userspace/base/result.h"
#include "userspace/http/admission.h"
#include "userspace/http/message.h"

namespace nz::http {

/// Who may ask. All can be replaced while the server runs (Server::protect).
struct Protection {
  std::string certificate, key;       ///< PEM files; both empty: plain HTTP
  std::string token_file;             ///< empty: no token is asked for
  double requests_per_second = 2000;  ///< of one address; beyond it and the burst: 429
  double request_burst = 4000;
  std::vector<std::string> cors_origins;  ///< whose pages may read answers (cors.h)

  [[nodiscard]] bool tls() const { return !certificate.empty(); }
};

struct Options {
  /// Other than loopback only with TLS and tokens (see listen.h); port 0: any free one.
  std::string listen = "127.0.0.1:9718";
  Protection protection;

  /// At once; further ones wait in the kernel's backlog. A TLS handshake that stands still takes
  /// 60 KB: 60 MB at most.
  unsigned max_connections = 1024;
  /// At once from one address; further ones are closed. On loopback all clients share an address,
  /// so it is generous; what it leaves of max_connections is for the others.
  unsigned max_connections_per_ip = 768;

  std::chrono::seconds idle_timeout{10};  ///< without a byte in or out
  /// From the first byte (or the end of the request before) to the last byte of the response. It
  /// ends the clients that send one byte now and then, which idle_timeout never does.
  std::chrono::milliseconds request_deadline{30'000};

  /// Request line and headers together, else 431 or 414; a response's headers must fit too. Memory
  /// held for it is at most max_connections times this: 16 MB.
  std::size_t max_header_bytes = std::size_t{16} * 1024;
  std::size_t max_target_bytes = std::size_t{4} * 1024;  ///< path and query, decoded; else 414
  std::size_t max_body_bytes = std::size_t{64} * 1024;   ///< read and dropped; more: 413 or closed
  std::size_t gzip_from_bytes = 1024;                    ///< a smaller body gains nothing from gzip
};

/// Counters since the start. Requests that libmicrohttpd itself turns away as malformed appear in
/// `connections` only.
struct Stats {
  std::uint64_t connections = 0;                      ///< accepted
  std::uint64_t connections_open = 0;                 ///< now
  std::uint64_t connections_late = 0;                 ///< ended because of request_deadline
  std::array<std::uint64_t, kRejections> rejected{};  ///< turned away, by enum Rejection
  std::uint64_t requests = 0;                         ///< answered, whatever the status
  std::uint64_t client_errors = 0;                    ///< of them with a 4xx
  std::uint64_t server_errors = 0;                    ///< of them with a 5xx
  std::uint64_t body_bytes = 0;  ///< of responses, as queued for sending (after gzip)
  double answer_seconds = 0;     ///< in handlers and gzip, summed: wall time of the one thread
};

class Server {
 public:
  /// Listens and begins to answer. Errors: a listen address that is malformed, in use, or reachable
  /// for other hosts without TLS and tokens; files of `protection` that are missing, damaged or
  /// readable by others; routes that contradict each other; a thread that cannot start.
  static Result<Server> start(const Options& options, std::vector<Route> routes);

  /// Whether start() would accept the address and the files, without listening.
  static Result<void> check(const Options& options);

  Server(Server&&) noexcept;
  Server& operator=(Server&&) noexcept;
  ~Server();  ///< stop()

  /// Closes every connection and the port, and waits for the thread; a handler that is running is
  /// let finish. A second call does nothing. Not to be called from a handler.
  void stop();

  /// Reads certificate, key and tokens again and takes over the limits. Open connections stay; the
  /// next handshake gets the new certificate, the next request is held to the new tokens. On an
  /// error nothing has changed. Errors: as start(), and that TLS or tokens would begin or end,
  /// which needs a new start. From any thread.
  Result<void> protect(const Protection& protection);

  /// When the certificate ends to be valid, in seconds since 1970; 0 without TLS.
  [[nodiscard]] double certificate_expires() const;

  /// The port that it listens on, also where the address left the choice to the kernel.
  [[nodiscard]] std::uint16_t port() const;

  /// May be called from any thread.
  [[nodiscard]] Stats stats() const;

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace nz::http
