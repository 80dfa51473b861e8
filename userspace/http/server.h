// The agent's HTTP server: one thread, event-driven (libmicrohttpd on epoll), so that silent or
// slow clients cost a descriptor each and never a scrape.
//
//   auto server = http::Server::start({}, {{"GET", "/healthz", [](const auto&) { ... }}});
//   if (!server) return tl::unexpected(server.error());
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "userspace/base/result.h"
#include "userspace/http/message.h"

namespace nz::http {

struct Options {
  std::string listen = "127.0.0.1:9718";  ///< loopback only (see listen.h); port 0: any free one

  unsigned max_connections = 1024;  ///< at once; further ones wait in the kernel's backlog
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
  std::uint64_t connections = 0;       ///< accepted
  std::uint64_t connections_open = 0;  ///< now
  std::uint64_t connections_late = 0;  ///< ended because of request_deadline
  std::uint64_t requests = 0;          ///< answered, whatever the status
  std::uint64_t client_errors = 0;     ///< of them with a 4xx
  std::uint64_t server_errors = 0;     ///< of them with a 5xx
  std::uint64_t body_bytes = 0;        ///< of responses, as queued for sending (after gzip)
  double answer_seconds = 0;  ///< in handlers and gzip, summed: wall time of the one thread
};

class Server {
 public:
  /// Listens and begins to answer. Errors: a listen address that is malformed, not loopback, or in
  /// use; routes that contradict each other; a thread that cannot start.
  static Result<Server> start(const Options& options, std::vector<Route> routes);

  Server(Server&&) noexcept;
  Server& operator=(Server&&) noexcept;
  ~Server();  ///< stop()

  /// Closes every connection and the port, and waits for the thread; a handler that is running is
  /// let finish. A second call does nothing. Not to be called from a handler.
  void stop();

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
