#include "userspace/alerts/post.h"

#include <fcntl.h>
#include <httplib.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

#include "userspace/alerts/templates.h"
#include "userspace/base/fd.h"
#include "userspace/base/trimmed.h"
#include "userspace/http/secret_file.h"

namespace nz::alerts {
namespace {

using Outcome = Attempt::Outcome;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kMostAnswer = 4096;  // bytes of an answer that are read, for the log
constexpr std::size_t kMostShown = 200;

/// Up to the path: what a connection is made to.
std::string_view origin_of(std::string_view url) {
  const auto host = url.find("://");
  if (host == std::string_view::npos) return url;
  return url.substr(0, url.find_first_of("/?#", host + 3));
}

/// As httplib finds it: what its connections are made by.
std::string host_of(std::string_view url) {
  std::string_view host = origin_of(url);
  if (const auto scheme = host.find("://"); scheme != std::string_view::npos)
    host.remove_prefix(scheme + 3);
  if (host.starts_with('[')) return std::string(host.substr(1, host.find(']') - 1));
  return std::string(host.substr(0, host.find(':')));
}

std::string path_of(std::string_view url) {
  std::string path(url.substr(origin_of(url).size()));
  while (path.ends_with('/')) path.pop_back();
  return path;
}

}  // namespace

const char* word(Outcome outcome) {
  switch (outcome) {
    case Outcome::ok:
      return "ok";
    case Outcome::unreachable:
      return "unreachable";
    case Outcome::timeout:
      return "timeout";
    case Outcome::tls:
      return "tls";
    case Outcome::secret:
      return "secret";
    case Outcome::rejected:
      return "rejected";
    case Outcome::server_error:
      return "server_error";
  }
  return "";
}

class Poster::Impl {
 public:
  Impl(Receiver receiver, const std::string& url, const std::string& path, Lookup::Resolve resolve)
      : receiver_(std::move(receiver)),
        origin_(origin_of(url)),
        path_(path_of(url) + path),
        lookup_(host_of(url), std::move(resolve)) {
    if (path_.empty()) path_ = "/";
    if (path_.front() != '/') path_.insert(0, "/");
  }

  Attempt post(const std::string& body) {
    httplib::Request request;
    request.method = "POST";
    request.path = path_;
    request.body = body;
    request.headers = {{"Content-Type", "application/json"}, {"User-Agent", "nearzero"}};
    if (auto failed = authorize(request)) return *failed;

    const auto addresses = lookup_.find(receiver_.timeout);
    if (!addresses) {
      const bool late = addresses.error().code == ETIMEDOUT;
      return {late ? Outcome::timeout : Outcome::unreachable,
              origin_ + ": " + addresses.error().text()};
    }
    Attempt attempt{Outcome::unreachable, origin_ + " has no address"};
    bool connected = false;
    for (std::size_t i = 0; i < addresses->size() && !connected; i++)
      attempt = post_to((*addresses)[i], request, connected);
    return attempt;
  }

  void stop() {
    lookup_.stop();
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    if (socket_.valid()) shutdown(socket_.get(), SHUT_RDWR);
  }

 private:
  Attempt post_to(const std::string& address, httplib::Request& request, bool& connected) {
    std::optional<httplib::Client> made;
    try {
      made.emplace(origin_);
    } catch (const std::exception& e) {
      return {Outcome::unreachable, origin_ + ": " + e.what()};
    }
    httplib::Client& client = *made;
    if (!client.is_valid()) return {Outcome::unreachable, origin_ + " is no URL of a host"};
    const auto seconds = static_cast<time_t>(receiver_.timeout);
    const auto micros =
        static_cast<time_t>((receiver_.timeout - std::floor(receiver_.timeout)) * 1e6);
    client.set_hostname_addr_map({{lookup_.host(), address}});
    client.set_connection_timeout(seconds, micros);
    client.set_read_timeout(seconds, micros);
    client.set_write_timeout(seconds, micros);
    client.enable_server_certificate_verification(receiver_.verify);
    if (!receiver_.ca_file.empty()) client.set_ca_cert_path(receiver_.ca_file.c_str());
    client.set_socket_options([this](int socket) { hold(socket); });
    {
      const std::lock_guard lock(mutex_);
      if (stopped_) return {Outcome::unreachable, "stopping"};
    }
    Attempt attempt = send(client, request, connected);
    const std::lock_guard lock(mutex_);
    socket_.reset();
    return attempt;
  }

  // httplib's own stop() waits until the name is known and the connection stands. A descriptor of
  // our own: it closes its one when it likes, and the number may be that of another file then.
  void hold(int socket) {
    const std::lock_guard lock(mutex_);
    socket_.reset(fcntl(socket, F_DUPFD_CLOEXEC, 0));
  }

  // Read for each request: a new token takes effect without a reload.
  std::optional<Attempt> authorize(httplib::Request& request) const {
    const bool token = !receiver_.token_file.empty();
    if (!token && receiver_.user.empty()) return std::nullopt;
    const auto secret =
        http::read_protected(token ? receiver_.token_file : receiver_.password_file,
                             token ? "token_file" : "basic_auth.password_file", true);
    if (!secret) return Attempt{Outcome::secret, secret.error().text()};
    const std::string text(trimmed(*secret));
    if (text.find_first_of("\r\n") != std::string::npos)
      return Attempt{Outcome::secret,
                     "the secret file of receiver '" + receiver_.name + "' has more than one line"};
    if (token) {
      request.headers.emplace("Authorization", "Bearer " + text);
    } else {
      request.headers.insert(httplib::make_basic_authentication_header(receiver_.user, text));
    }
    return std::nullopt;
  }

  Attempt send(httplib::Client& client, httplib::Request& request, bool& connected) const {
    const auto start = Clock::now();
    const auto elapsed = [start] {
      return std::chrono::duration<double>(Clock::now() - start).count();
    };
    int status = 0;
    std::string answer;
    request.response_handler = [&status](const httplib::Response& response) {
      status = response.status;
      return true;
    };
    // An answer is a few bytes; one that is long or trickles in is not waited for.
    const double patience = 2 * receiver_.timeout;
    request.content_receiver = [&](const char* data, std::size_t size, std::uint64_t,
                                   std::uint64_t) {
      answer.append(data, std::min(size, kMostAnswer - answer.size()));
      return answer.size() < kMostAnswer && elapsed() < patience;
    };
    const httplib::Result result = client.send(request);
    if (status == 0 && result) status = result->status;
    connected = status != 0 || (result.error() != httplib::Error::Connection &&
                                result.error() != httplib::Error::ConnectionTimeout);
    if (status != 0) return by_status(status, answer);
    const double late = receiver_.timeout * 0.9;
    switch (result.error()) {
      case httplib::Error::SSLConnection:
      case httplib::Error::SSLLoadingCerts:
      case httplib::Error::SSLServerVerification:
        return {Outcome::tls, origin_ + ": " + httplib::to_string(result.error()) +
                                  " (is its certificate of an issuer in tls.ca_file, and for this "
                                  "name?)"};
      case httplib::Error::ConnectionTimeout:
        return {Outcome::timeout, origin_ + ": no connection in time"};
      case httplib::Error::Connection:
        return {elapsed() >= late ? Outcome::timeout : Outcome::unreachable,
                origin_ + ": no connection (does it run, and is the URL right?)"};
      default:
        return {elapsed() >= late ? Outcome::timeout : Outcome::unreachable,
                origin_ + ": no answer: " + httplib::to_string(result.error())};
    }
  }

  [[nodiscard]] Attempt by_status(int status, const std::string& answer) const {
    if (status >= 200 && status < 300) return {};
    std::string why = origin_ + " answered " + std::to_string(status);
    const std::string shown = plain_text(trimmed(answer), kMostShown);
    if (!shown.empty()) why += ": " + shown;
    if (status == 401 || status == 403) why += " (check token_file or basic_auth)";
    if (status == 404) why += " (check the path of the URL)";
    return {status >= 500 ? Outcome::server_error : Outcome::rejected, why};
  }

  const Receiver receiver_;
  const std::string origin_;
  std::string path_;
  Lookup lookup_;
  std::mutex mutex_;
  Fd socket_;  // of the request under way
  bool stopped_ = false;
};

Poster::Poster(Receiver receiver, const std::string& url, const std::string& path,
               Lookup::Resolve resolve)
    : impl_(std::make_unique<Impl>(std::move(receiver), url, path, std::move(resolve))) {}
Poster::~Poster() = default;
Attempt Poster::post(const std::string& body) { return impl_->post(body); }
void Poster::stop() { impl_->stop(); }

}  // namespace nz::alerts
