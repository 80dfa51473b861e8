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
#include <charconv>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "userspace/base/courtesy.h"
#include "userspace/base/fd.h"
#include "userspace/base/guard.h"
#include "userspace/http/compression.h"
#include "userspace/http/connections.h"
#include "userspace/http/cors.h"
#include "userspace/http/listen.h"
#include "userspace/http/reply.h"
#include "userspace/http/router.h"
#include "userspace/http/secrets.h"

namespace nz::http {
namespace {

using Clock = std::chrono::steady_clock;

struct DaemonStop {
  void operator()(MHD_Daemon* daemon) const { MHD_stop_daemon(daemon); }
};
// What one request has sent so far; libmicrohttpd hands it back with every piece.
struct Upload {
  std::size_t body_bytes = 0;
  std::string body;                 // of a POST, as far as it may be
  std::optional<Response> refusal;  // sent once the request is complete
};

std::string_view view_of(const char* text, std::size_t size) {
  return text == nullptr ? std::string_view{} : std::string_view(text, size);
}

// Collects libmicrohttpd's key-value pairs (headers or query parameters).
using Pairs = std::vector<std::pair<std::string, std::string>>;
MHD_Result collect(void* target, MHD_ValueKind /*kind*/, const char* key, std::size_t key_size,
                   const char* value, std::size_t value_size) noexcept {
  try {
    static_cast<Pairs*>(target)->emplace_back(view_of(key, key_size), view_of(value, value_size));
    return MHD_YES;
  } catch (const std::bad_alloc&) {
    return MHD_NO;
  }
}

Pairs pairs_of(MHD_Connection* connection, MHD_ValueKind kind) {
  Pairs pairs;
  MHD_get_connection_values_n(connection, kind, &collect, &pairs);
  return pairs;
}

std::size_t size_of(const Pairs& pairs) {
  std::size_t total = 0;
  for (const auto& [key, value] : pairs) total += key.size() + value.size() + 2;  // '=' and '&'
  return total;
}

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
        router_(std::move(router)),
        tls_(secrets.certificate != nullptr),
        port_(listener.port),
        wake_(std::move(wake)),
        connections_(
            {options.max_connections, options.max_connections_per_ip, options.request_deadline}) {
    take(std::move(secrets), options.protection);
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

  [[nodiscard]] Stats stats() const {
    Stats s;
    s.connections = connections_total_.load(std::memory_order_relaxed);
    s.connections_open = connections_open_.load(std::memory_order_relaxed);
    for (std::size_t i = 0; i < kRejections; i++) {
      s.rejected[i] = rejected_[i].load(std::memory_order_relaxed);
    }
    s.connections_late = s.rejected[static_cast<std::size_t>(Rejection::late)];
    s.requests = requests_.load(std::memory_order_relaxed);
    s.client_errors = client_errors_.load(std::memory_order_relaxed);
    s.server_errors = server_errors_.load(std::memory_order_relaxed);
    s.body_bytes = body_bytes_.load(std::memory_order_relaxed);
    s.answer_seconds = static_cast<double>(answer_ns_.load(std::memory_order_relaxed)) / 1e9;
    return s;
  }

  Result<void> protect(const Protection& protection) {
    auto secrets = load_secrets(protection);
    if (!secrets) return tl::unexpected(secrets.error());
    const std::lock_guard lock(protect_mutex_);
    const bool tokens_before = !protection_.token_file.empty();
    if (tls_ != protection.tls() || tokens_before != !protection.token_file.empty()) {
      return fail("TLS and tokens cannot be switched on or off while the server runs",
                  "start the agent again");
    }
    take(std::move(*secrets), protection);
    return {};
  }

  [[nodiscard]] double certificate_expires() const {
    const auto certificate = current_certificate();
    return certificate == nullptr ? 0 : static_cast<double>(certificate->expires());
  }

 private:
  void take(Secrets secrets, const Protection& protection) {
    protection_ = protection;
    certificate_ = std::move(secrets.certificate);
    cors_ = std::make_shared<const Cors>(protection.cors_origins);
    admission_.set(std::move(secrets.tokens), protection.requests_per_second,
                   protection.request_burst);
  }

  [[nodiscard]] std::shared_ptr<const Certificate> current_certificate() const {
    const std::lock_guard lock(protect_mutex_);
    return certificate_;
  }

  [[nodiscard]] std::shared_ptr<const Cors> current_cors() const {
    const std::lock_guard lock(protect_mutex_);
    return cors_;
  }

  void count(Rejection cause, std::size_t n = 1) {
    rejected_[static_cast<std::size_t>(cause)].fetch_add(n, std::memory_order_relaxed);
  }

  // The daemon runs inside our thread, not one of its own: only so can connections be held to a
  // deadline, for which libmicrohttpd has no option (see sweep()).
  void start_daemon(Fd socket) {
    // At the end of the options, where it is left out without TLS.
    std::array<MHD_OptionItem, 3> tls{{
        {MHD_OPTION_HTTPS_PRIORITIES, 0, const_cast<char*>(kTlsPriorities)},
        {MHD_OPTION_HTTPS_CERT_CALLBACK2, 0, reinterpret_cast<void*>(&no_certificate)},
        {MHD_OPTION_END, 0, nullptr},
    }};
    if (!tls_) tls[0].option = MHD_OPTION_END;
    daemon_.reset(MHD_start_daemon(
        static_cast<unsigned>(MHD_USE_EPOLL) | MHD_USE_ERROR_LOG | (tls_ ? MHD_USE_TLS : 0U), 0,
        &on_accept, this, &on_request, this, MHD_OPTION_EXTERNAL_LOGGER, &log_line, nullptr,  //
        MHD_OPTION_LISTEN_SOCKET, socket.get(),                                               //
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
    count(Rejection::late, connections_.sweep(now));
  }

  // Before libmicrohttpd has spent anything on it. MHD_NO closes it.
  static MHD_Result on_accept(void* self, const sockaddr* address, socklen_t /*length*/) noexcept {
    auto& impl = *static_cast<Impl*>(self);
    if (!impl.tls_) return MHD_YES;  // no handshake: its requests are counted instead
    try {
      if (impl.admission_.admit_handshake(client_of(address), Clock::now())) return MHD_YES;
      impl.count(Rejection::connection_rate);
    } catch (const std::exception&) {
    }
    return MHD_NO;
  }

  static void on_connection(void* self, MHD_Connection* handle, void** /*context*/,
                            MHD_ConnectionNotificationCode code) noexcept {
    auto& impl = *static_cast<Impl*>(self);
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
      if (!impl.connections_.closed(handle) && impl.tls_) impl.count(Rejection::no_request);
      impl.closed_one_ = true;
    } else {
      impl.open(handle);
    }
    impl.connections_open_.store(impl.connections_.size(), std::memory_order_relaxed);
  }

  void open(MHD_Connection* handle) noexcept {
    connections_total_.fetch_add(1, std::memory_order_relaxed);
    const int fd = MHD_get_connection_info(handle, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    try {
      auto certificate = current_certificate();
      if (certificate != nullptr) {
        const auto* session = MHD_get_connection_info(handle, MHD_CONNECTION_INFO_GNUTLS_SESSION);
        certificate->present(static_cast<gnutls_session_t>(session->tls_session));
      }
      const auto* client = MHD_get_connection_info(handle, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
      count(Rejection::crowded, connections_.opened(handle, fd, client_of(client->client_addr),
                                                    Clock::now(), std::move(certificate)));
    } catch (const std::exception&) {
      shutdown(fd, SHUT_RDWR);  // no deadline without the memory to keep one
    }
  }

  static void on_completed(void* self, MHD_Connection* handle, void** upload,
                           MHD_RequestTerminationCode /*code*/) noexcept {
    delete static_cast<Upload*>(*upload);
    *upload = nullptr;
    static_cast<Impl*>(self)->connections_.answered(handle, Clock::now());
  }

  // Called once when the headers are in, once for each piece of a body, once at its end. MHD_NO
  // closes the connection.
  static MHD_Result on_request(void* self, MHD_Connection* connection, const char* url,
                               const char* method, const char* /*version*/, const char* upload_data,
                               std::size_t* upload_size, void** upload) noexcept {
    try {
      return static_cast<Impl*>(self)->advance(connection, url, method, upload_data, upload_size,
                                               upload);
    } catch (const std::exception& e) {
      spdlog::error("http: request dropped: {}", e.what());
    } catch (...) {
      spdlog::error("http: request dropped");
    }
    return MHD_NO;
  }

  MHD_Result advance(MHD_Connection* connection, const char* url, const char* method,
                     const char* upload_data, std::size_t* upload_size, void** upload) {
    if (*upload == nullptr) {
      auto* begun = new Upload;
      *upload = begun;
      if (auto refusal = refuse(connection, url, method)) {
        count(refusal->cause);
        // An answer before the end of the request closes the connection, and the client would begin
        // a new one, with its handshake. Only what sends a body is cut off.
        if (announces_body(connection)) {
          return send(connection, std::move(refusal->response), false);
        }
        begun->refusal = std::move(refusal->response);
      }
      if (declared_body(connection) > options_.max_body_bytes) {
        count(Rejection::too_large);
        return send(connection, problem(413, "The body is too long.", url), false);
      }
      return MHD_YES;
    }
    auto& sent = *static_cast<Upload*>(*upload);
    const bool wants_body = std::strcmp(method, "POST") == 0;
    if (*upload_size != 0) {
      if (wants_body && sent.body.size() + *upload_size <= kMostBodyBytes)
        sent.body.append(upload_data, *upload_size);
      sent.body_bytes += *upload_size;
      *upload_size = 0;
      return sent.body_bytes > options_.max_body_bytes ? MHD_NO : MHD_YES;
    }

    if (sent.refusal) return send(connection, std::move(*sent.refusal), false);
    const auto begin = Clock::now();
    Request request;
    request.method = std::strcmp(method, "HEAD") == 0 ? "GET" : method;
    request.path = url;
    request.query_params = pairs_of(connection, MHD_GET_ARGUMENT_KIND);
    request.headers = pairs_of(connection, MHD_HEADER_KIND);
    request.body = std::move(sent.body);
    const bool too_long =
        request.path.size() + size_of(request.query_params) > options_.max_target_bytes;
    const bool body_too_long = wants_body && sent.body_bytes > kMostBodyBytes;
    if (too_long || body_too_long) count(Rejection::too_large);
    const MHD_Result result =
        send(connection,
             too_long ? problem(414, "Path and query are too long.", request.path.substr(0, 64))
             : body_too_long ? problem(413, "The body is too long; 16 KB are enough.", request.path)
                             : answer(connection, request),
             accepts_gzip(request.header("Accept-Encoding")));
    answer_ns_.fetch_add(std::chrono::nanoseconds(Clock::now() - begin).count(),
                         std::memory_order_relaxed);
    return result;
  }

  std::optional<Admission::Refusal> refuse(MHD_Connection* connection, const char* url,
                                           const char* method) {
    const std::string& client = connections_.client(connection);
    if (is_preflight(connection, method))
      return admission_.refuse_preflight(client, url, Clock::now());
    return admission_.refuse(client, header_of(connection, MHD_HTTP_HEADER_AUTHORIZATION), url,
                             Clock::now());
  }

  [[nodiscard]] bool is_preflight(MHD_Connection* connection, const char* method) const {
    return current_cors()->is_preflight(method, header_of(connection, "Origin"),
                                        header_of(connection, "Access-Control-Request-Method"));
  }

  // What is at the path, or, to a browser that asks first, what may be asked there.
  [[nodiscard]] Response answer(MHD_Connection* connection, const Request& request) const {
    if (is_preflight(connection, request.method.c_str())) {
      const std::string methods = router_.methods_of(request.path);
      if (!methods.empty()) return Cors::preflight(header_of(connection, "Origin"), methods);
    }
    return router_.answer(request);
  }

  static std::string_view header_of(MHD_Connection* connection, const char* name) {
    const char* value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
    return value == nullptr ? std::string_view{} : std::string_view(value);
  }

  static bool announces_body(MHD_Connection* connection) {
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Transfer-Encoding") !=
               nullptr ||
           declared_body(connection) > 0;
  }

  // Content-Length; 0 where there is none (libmicrohttpd has refused malformed ones already).
  static std::size_t declared_body(MHD_Connection* connection) {
    const char* text = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Length");
    std::size_t bytes = 0;
    if (text != nullptr) std::from_chars(text, text + std::strlen(text), bytes);
    return bytes;
  }

  MHD_Result send(MHD_Connection* connection, Response response, bool gzip_allowed) {
    const int status = response.status;
    if (status != 204) current_cors()->add_headers(header_of(connection, "Origin"), response);
    const Reply reply = make_reply(std::move(response), gzip_allowed, options_.gzip_from_bytes);
    if (reply.response == nullptr) return MHD_NO;
    if (status == 405) count(Rejection::method);
    connections_.answering(connection);
    requests_.fetch_add(1, std::memory_order_relaxed);
    if (status >= 500) {
      server_errors_.fetch_add(1, std::memory_order_relaxed);
    } else if (status >= 400) {
      client_errors_.fetch_add(1, std::memory_order_relaxed);
    }
    body_bytes_.fetch_add(reply.body_bytes, std::memory_order_relaxed);
    return MHD_queue_response(connection, static_cast<unsigned>(status), reply.response.get());
  }

  const Options options_;
  const Router router_;
  const bool tls_;
  const std::uint16_t port_;
  const Fd wake_;  // an eventfd: ends poll() when it is time to stop
  std::unique_ptr<MHD_Daemon, DaemonStop> daemon_;
  std::thread thread_;
  std::atomic<bool> stopping_ = false;

  Admission admission_;
  mutable std::mutex protect_mutex_;  // protect() may be called by any thread
  Protection protection_;
  std::shared_ptr<const Certificate> certificate_;  // of the next handshake
  std::shared_ptr<const Cors> cors_;

  // Only the server's thread touches these (and stop(), after that thread has ended).
  Connections connections_;
  Clock::time_point next_sweep_{};
  bool closed_one_ = false;

  std::atomic<std::uint64_t> connections_total_ = 0;
  std::atomic<std::uint64_t> connections_open_ = 0;
  std::array<std::atomic<std::uint64_t>, kRejections> rejected_{};
  std::atomic<std::uint64_t> requests_ = 0;
  std::atomic<std::uint64_t> client_errors_ = 0;
  std::atomic<std::uint64_t> server_errors_ = 0;
  std::atomic<std::uint64_t> body_bytes_ = 0;
  std::atomic<std::uint64_t> answer_ns_ = 0;
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
