// What a handler gets and gives: one HTTP request, one response.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nz::http {

struct Request {
  std::string method;  ///< "GET"; a HEAD request reaches the handler as GET
  std::string path;    ///< percent-decoded, without the query: "/performance/trends"
  std::vector<std::pair<std::string, std::string>> query_params;  ///< percent-decoded, as they came
  std::vector<std::pair<std::string, std::string>> headers;       ///< as they came
  std::vector<std::pair<std::string, std::string>> path_params;   ///< what stood for {name}
  std::string body;  ///< of a POST, whole, at most kMostBodyBytes

  /// What the path has in the place of {name} in the route; empty where the route has no such.
  [[nodiscard]] std::string_view path_param(std::string_view name) const;

  /// The first query parameter of this name; an empty string for "?name", nothing where absent.
  [[nodiscard]] std::optional<std::string_view> query(std::string_view name) const;

  /// The header of this name (case does not matter), several joined with ", " (RFC 9110, 5.2);
  /// empty where absent.
  [[nodiscard]] std::string header(std::string_view name) const;
};

/// A longer body of a POST is a 413. All connections at once hold 16 MB.
inline constexpr std::size_t kMostBodyBytes = std::size_t{16} * 1024;

struct Response {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  ///< further ones, without line feeds
  /// In place of `body`: one that is sent more than once, and never copied for it.
  std::shared_ptr<const std::string> shared_body;
  /// The body compressed already, for who accepts that; otherwise the server compresses it.
  std::shared_ptr<const std::string> gzip_body;

  [[nodiscard]] const std::string& text() const { return shared_body ? *shared_body : body; }
};

/// Answers one request. Handlers run one after the other on the server's only thread: they need no
/// lock among themselves, and a slow one delays every other client. An exception becomes a 500.
using Handler = std::function<Response(const Request&)>;

struct Route {
  std::string method = "GET";  ///< GET answers HEAD too
  std::string path;  ///< whole path, compared byte for byte; {name} stands for one segment
  Handler handler;
};

/// One mistake of a request.
struct ProblemError {
  std::string parameter;  ///< of the query, or the member of the body
  std::string detail;     ///< what is wrong with it
  std::string remedy;     ///< what to send instead
};

/// An error as RFC 7807 describes it (application/problem+json): status, its standard title, and
/// `detail`, one sentence that tells the caller what to do. `instance` is the path asked for.
/// `errors`: each mistake by itself, as a member of that name; left out where there are none.
Response problem(int status, std::string_view detail, std::string_view instance,
                 const std::vector<ProblemError>& errors = {});

}  // namespace nz::http
