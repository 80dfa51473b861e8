// An HTTP client for commands: asks an agent or a Prometheus, with TLS and a token, and says what
// to do when there is no answer.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "userspace/base/result.h"

namespace nz::client {

struct Options {
  std::string url;                ///< http[s]://host[:port][/prefix]
  std::string token_file;         ///< its first line is sent as a bearer token; empty: none
  std::string ca_file;            ///< PEM, in place of the host's authorities; empty: those
  double timeout = 30;            ///< seconds without a byte
  std::string who = "the agent";  ///< for messages
  std::string start_it = "";      ///< remedy where nobody listens; may be empty
  std::size_t most_bytes = std::size_t{256} << 20;  ///< a longer answer is an error
};

struct Reply {
  int status = 0;
  std::string content_type, location, body;
};

using Query = std::vector<std::pair<std::string, std::string>>;

class Client {
 public:
  /// Errors: no URL, a scheme that is neither http nor https, a token over plain http to another
  /// host, a token file that cannot be read or that others may read.
  static Result<Client> make(Options options);
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  ~Client();

  /// Any status is an answer; an error is that there was none. `path` begins with a slash and comes
  /// after the URL's prefix; the query is percent-encoded here.
  Result<Reply> get(const std::string& path, const Query& query = {});
  Result<Reply> post(const std::string& path, const std::string& body,
                     const std::string& content_type);
  [[nodiscard]] const std::string& url() const;

  /// What an answer other than 2xx means, with what to do: 401 and 403 name the token, an
  /// application/problem+json its detail, Prometheus' errors their text, a redirect where to.
  [[nodiscard]] Error refusal(const Reply& reply, const std::string& path) const;

 private:
  class Impl;
  explicit Client(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

struct Url {
  std::string origin;  ///< scheme://host[:port]
  std::string prefix;  ///< "" or "/prometheus", without a slash at its end
  std::string host;
  bool tls = false;
};
/// Errors say what such a URL looks like.
Result<Url> parse_url(const std::string& text);

}  // namespace nz::client
