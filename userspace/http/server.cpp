#include "userspace/http/server.h"

#include <gnutls/abstract.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <memory>
#include <new>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include "userspace/base/courtesy.h"
#include "userspace/base/fd.h"
#include "userspace/base/guard.h"
#include "userspace/http/connections.h"
#include "userspace/http/counters.h"
#include "userspace/http/gate.h"
#include "userspace/http/listen.h"
#include "userspace/http/rate_limit.h"
#include "userspace/http/requests.h"
#include "userspace/http/router.h"
#include "userspace/http/secrets.h"

namespace nz::http {
namespace {

using Clock = std::chrono::steady_clock;

struct DaemonStop {
  void operator()(MHD_Daemon* daemon) const { MHD_stop_daemon(daemon); }
};

// libmicrohttpd reports clients' mistakes here: worth a line only to somebody who looks for it.
void log_line(void* /*unused*/, const char* format, va_list arguments) noexcept {
  std::array<char, 256> line{};
  std::vsnprintf(line.data(), line.size(), format, arguments);
  std::string_view text(line.data());
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  spdlog::debug("http: {}", text);
}

// libmicrohttpd wants to know where certificates come from; ours are given to each connection as it
// opens (on_connection), and one that got none has no handshake.
int no_certificate(gnutls_session_t, const gnutls_cert_retr_st*, gnutls_pcert_st**, unsigned*,
                   gnutls_ocsp_data_st**, unsigned*, gnutls_privkey_t*, unsigned*) {
  return -1;
}

}  // namespace

class Server::Impl {
 public:
  Impl(const Options& options, Router router, Secrets secrets, Listener listener, Fd wake)
      : options_(options),
        port_(listener.port),
        wake_(std::move(wake)),
        gate_(std::move(secrets), options.protection),
        connections_(
            {options.max_connections, options.max_connections_per_ip, options.request_deadline}),
        requests_(options_, std::move(router), gate_, connections_, counters_) {
    start_daemon(std::move(listener.socket));
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() { stop(); }

  [[nodiscard]] bool listening() const { return daemon_ != nullptr; }
  [[nodiscard]] std::uint16_t port() const { return port_; }

  void start_thread() {
    // Signals are the main thread's business: blocked here before the thread exists, it inherits.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
      thread_ = std::thread([this] {
        const Courtesy courtesy(kNiceOfAnswers);
        Guard().keep("serving HTTP", [this] { run(); });
      });
    } catch (...) {
      pthread_sigmask(SIG_SETMASK, &before, nullptr);
      throw;
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    pthread_setname_np(thread_.native_handle(), "nz-http");
  }

  void stop() {
    if (thread_.joinable()) {
      stopping_ = true;
      const std::uint64_t one = 1;
      static_cast<void>(!write(wake_.get(), &one, sizeof one));  // cannot fail: never that full
      thread_.join();
    }
    daemon_.reset();
  }

  [[nodiscard]] Stats stats() const { return counters_.stats(); }

  Result<void> protect(const Protection& protection) { return gate_.replace(protection); }

  [[nodiscard]] double certificate_expires() const {
    const auto certificate = gate_.certificate();
    return certificate == nullptr ? 0 : static_cast<double>(certificate->expires());
  }

 private:
  // The daemon runs inside our thread, not one of its own: only so can connections be held to a
  // deadline, for which libmicrohttpd has no option (see sweep()).
  void start_daemon(Fd socket) {
    // At the end of the options, where it is left out without TLS.
    std::array<MHD_OptionItem, 3> tls{{
        {MHD_OPTION_HTTPS_PRIORITIES, 0, const_cast<char*>(kTlsPriorities)},
        {MHD_OPTION_HTTPS_CERT_CALLBACK2, 0, reinterpret_cast<void*>(&no_certificate)},
        {MHD_OPTION_END, 0, nullptr},
    }};
    if (!gate_.tls()) tls[0].option = MHD_OPTION_END;
    daemon_.reset(MHD_start_daemon(
        static_cast<unsigned>(MHD_USE_EPOLL) | MHD_USE_ERROR_LOG | (gate_.tls() ? MHD_USE_TLS : 0U),
        0, &on_accept, this, &on_request, this, MHD_OPTION_EXTERNAL_LOGGER, &log_line, nullptr,  //
        MHD_OPTION_LISTEN_SOCKET, socket.get(),                                                  //
        MHD_OPTION_CONNECTION_LIMIT, options_.max_connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        options_.max_connections_per_ip, MHD_OPTION_CONNECTION_TIMEOUT,
        static_cast<unsigned>(options_.idle_timeout.count()), MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        options_.max_header_bytes, MHD_OPTION_STRICT_FOR_CLIENT, 1,  //
        MHD_OPTION_NOTIFY_CONNECTION, &on_connection, this,          //
        MHD_OPTION_NOTIFY_COMPLETED, &on_completed, this,            //
        MHD_OPTION_ARRAY, tls.data(), MHD_OPTION_END));
    if (daemon_ != nullptr) socket.release();  // MHD_stop_daemon closes it
  }

  void run() {
    const MHD_DaemonInfo* info = MHD_get_daemon_info(daemon_.get(), MHD_DAEMON_INFO_EPOLL_FD);
    std::array<pollfd, 2> waiting{{{info->epoll_fd, POLLIN, 0}, {wake_.get(), POLLIN, 0}}};
    while (!stopping_) {
      poll(waiting.data(), waiting.size(), wait_ms());
      sweep();
      do {
        closed_one_ = false;
        MHD_run(daemon_.get());
        // At its limit libmicrohttpd leaves the listening socket out of its epoll set, and puts it
        // back only when it runs after a connection was closed; poll() would not wake for that.
      } while (closed_one_);
    }
  }

  // How long poll() may sleep: for ever while nobody is connected.
  [[nodiscard]] int wait_ms() const {
    if (connections_.size() == 0) return -1;
    constexpr std::int64_t kSweep = 1'000;
    std::int64_t ms = std::clamp<std::int64_t>(options_.request_deadline.count() / 4, 10, kSweep);
    MHD_UNSIGNED_LONG_LONG timeout = 0;
    if (MHD_get_timeout(daemon_.get(), &timeout) == MHD_YES) {
      ms = std::min<std::int64_t>(
          ms, static_cast<std::int64_t>(std::min<MHD_UNSIGNED_LONG_LONG>(timeout, kSweep)));
    }
    return static_cast<int>(ms);
  }

  void sweep() {
    const auto now = Clock::now();
    if (now < next_sweep_) return;
    next_sweep_ =
        now + std::clamp<Clock::duration>(options_.request_deadline / 4,
                                          std::chrono::milliseconds(10), std::chrono::seconds(1));
    counters_.rejected(Rejection::late, connections_.sweep(now));
  }

  // Before libmicrohttpd has spent anything on it. MHD_NO closes it.
  static MHD_Result on_accept(void* self, const sockaddr* address, socklen_t /*length*/) noexcept {
    auto& impl = *static_cast<Impl*>(self);
    if (!impl.gate_.tls()) return MHD_YES;  // no handshake: its requests are counted instead
    try {
      if (impl.gate_.admission().admit_handshake(client_of(address), Clock::now())) return MHD_YES;
      impl.counters_.rejected(Rejection::connection_rate);
    } catch (const std::exception&) {
    }
    return MHD_NO;
  }

  static void on_connection(void* self, MHD_Connection* handle, void** /*context*/,
                            MHD_ConnectionNotificationCode code) noexcept {
    auto& impl = *static_cast<Impl*>(self);
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
      if (!impl.connections_.closed(handle) && impl.gate_.tls())
        impl.counters_.rejected(Rejection::no_request);
      impl.closed_one_ = true;
    } else {
      impl.open(handle);
    }
    impl.counters_.open(impl.connections_.size());
  }

  void open(MHD_Connection* handle) noexcept {
    counters_.accepted();
    const int fd = MHD_get_connection_info(handle, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    try {
      auto certificate = gate_.certificate();
      if (certificate != nullptr) {
        const auto* session = MHD_get_connection_info(handle, MHD_CONNECTION_INFO_GNUTLS_SESSION);
        certificate->present(static_cast<gnutls_session_t>(session->tls_session));
      }
      const auto* client = MHD_get_connection_info(handle, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
      counters_.rejected(Rejection::crowded,
                         connections_.opened(handle, fd, client_of(client->client_addr),
                                             Clock::now(), std::move(certificate)));
    } catch (const std::exception&) {
      shutdown(fd, SHUT_RDWR);  // no deadline without the memory to keep one
    }
  }

  static void on_completed(void* self, MHD_Connection* handle, void** upload,
                           MHD_RequestTerminationCode /*code*/) noexcept {
    Requests::end(upload);
    static_cast<Impl*>(self)->connections_.answered(handle, Clock::now());
  }

  static MHD_Result on_request(void* self, MHD_Connection* connection, const char* url,
                               const char* method, const char* /*version*/, const char* upload_data,
                               std::size_t* upload_size, void** upload) noexcept {
    try {
      return static_cast<Impl*>(self)->requests_.advance(connection, url, method, upload_data,
                                                         upload_size, upload);
    } catch (const std::exception& e) {
      spdlog::error("http: request dropped: {}", e.what());
    } catch (...) {
      spdlog::error("http: request dropped");
    }
    return MHD_NO;
  }

  const Options options_;
  const std::uint16_t port_;
  const Fd wake_;  // an eventfd: ends poll() when it is time to stop
  Gate gate_;      // protect() may be called by any thread
  Counters counters_;

  // Only the server's thread touches these (and stop(), after that thread has ended).
  Connections connections_;
  Requests requests_;
  Clock::time_point next_sweep_{};
  bool closed_one_ = false;

  std::unique_ptr<MHD_Daemon, DaemonStop> daemon_;
  std::thread thread_;
  std::atomic<bool> stopping_ = false;
};

Result<Server> Server::start(const Options& options, std::vector<Route> routes) {
  auto router = Router::make(std::move(routes));
  if (!router) return tl::unexpected(router.error());
  auto secrets = load_secrets(options.protection);
  if (!secrets) return tl::unexpected(secrets.error());
  auto listener = listen_on(options.listen, reach_of(*secrets));
  if (!listener) return tl::unexpected(listener.error());
  Fd wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake.valid()) return fail_errno("eventfd for the HTTP server", errno);
  auto impl = std::make_unique<Impl>(options, std::move(*router), std::move(*secrets),
                                     std::move(*listener), std::move(wake));
  if (!impl->listening()) {
    return fail("HTTP server on " + options.listen + ": libmicrohttpd did not start",
                "log level debug shows its reason");
  }
  try {
    impl->start_thread();
  } catch (const std::system_error& e) {
    return fail_errno("thread for the HTTP server", e.code().value());
  }
  return Server(std::move(impl));
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::Server(Server&&) noexcept = default;
Server& Server::operator=(Server&&) noexcept = default;
Server::~Server() = default;

void Server::stop() {
  if (impl_ != nullptr) impl_->stop();
}

Result<void> Server::check(const Options& options) {
  const auto secrets = load_secrets(options.protection);
  if (!secrets) return tl::unexpected(secrets.error());
  const auto address = parse_listen_address(options.listen, reach_of(*secrets));
  if (!address) return tl::unexpected(address.error());
  return {};
}

Result<void> Server::protect(const Protection& protection) { return impl_->protect(protection); }

double Server::certificate_expires() const { return impl_->certificate_expires(); }

std::uint16_t Server::port() const { return impl_->port(); }

Stats Server::stats() const { return impl_->stats(); }

}  // namespace nz::http
