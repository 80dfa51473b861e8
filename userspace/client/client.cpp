#include "userspace/client/client.h"

#include <httplib.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "userspace/base/plain_text.h"
#include "userspace/http/secret_file.h"

namespace nz::client {
namespace {

constexpr std::size_t kMostShown = 500;  // bytes of a text of the server
constexpr const char* kUrlRemedy =
    "write for instance http://127.0.0.1:9718 or https://host/prefix";

// The first line that is neither empty nor a comment, as the agent reads its own file.
Result<std::string> token_of(const std::string& file) {
  const auto text = http::read_protected(file, "--token-file", true);
  if (!text) return tl::unexpected(text.error());
  for (std::size_t at = 0; at < text->size();) {
    const std::size_t end = std::min(text->find('\n', at), text->size());
    std::string line = text->substr(at, end - at);
    at = end + 1;
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (line.empty() || line.front() == '#') continue;
    const bool plain =
        std::all_of(line.begin(), line.end(), [](char c) { return c > 0x20 && c < 0x7F; });
    if (!plain)
      return fail(file + ": its first token has characters that a header cannot carry",
                  "one token a line, of letters, digits and punctuation");
    return line;
  }
  return fail(file + " holds no token", "write one into it: openssl rand -hex 32");
}

std::string problem_text(const std::string& body) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (!json.is_object()) return "";
  std::string text;
  for (const char* member : {"detail", "error"}) {
    if (json.contains(member) && json[member].is_string()) text = json[member].get<std::string>();
    if (!text.empty()) return text;
  }
  return text;
}

std::string why(httplib::Error error) {
  switch (error) {
    case httplib::Error::SSLServerVerification:
      return "its certificate is not one of a known authority, or is for another name";
    case httplib::Error::SSLConnection:
      return "no TLS connection came about";
    case httplib::Error::SSLLoadingCerts:
      return "the file of authorities cannot be read";
    case httplib::Error::Connection:
      return "nobody listens there, or the way is closed";
    case httplib::Error::ConnectionTimeout:
      return "no connection in time";
    case httplib::Error::Read:
      return "it began no answer in time, or broke off";
    default:
      return httplib::to_string(error);
  }
}

}  // namespace

Result<Url> parse_url(const std::string& text) {
  Url url;
  const std::size_t colon = text.find("://");
  if (colon == std::string::npos) return fail("'" + text + "' is no URL", kUrlRemedy);
  const std::string scheme = text.substr(0, colon);
  if (scheme != "http" && scheme != "https")
    return fail("'" + text + "' is neither http nor https", kUrlRemedy);
  url.tls = scheme == "https";
  const std::size_t begin = colon + 3;
  std::size_t slash = std::min(text.find('/', begin), text.size());
  const std::string authority = text.substr(begin, slash - begin);
  const bool odd = std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || c == '?' || c == '#' || c == '@';
  });
  if (authority.empty() || odd)
    return fail("'" + text + "' is no URL of a host: without user, query and blanks", kUrlRemedy);
  url.host = authority.substr(0, authority.find(':'));
  if (authority.front() == '[') {
    const std::size_t bracket = authority.find(']');
    if (bracket == std::string::npos) return fail("'" + text + "' is no URL", kUrlRemedy);
    url.host = authority.substr(1, bracket - 1);
  }
  url.origin = text.substr(0, slash);
  url.prefix = text.substr(slash);
  while (!url.prefix.empty() && url.prefix.back() == '/') url.prefix.pop_back();
  return url;
}

class Client::Impl {
 public:
  Impl(Options options, Url url) : options_(std::move(options)), url_(std::move(url)) {}

  Result<void> prepare() {
    try {
      client_.emplace(url_.origin);
    } catch (const std::exception& e) {
      return fail("'" + options_.url + "' cannot be asked: " + e.what(), kUrlRemedy);
    }
    if (!client_->is_valid()) return fail("'" + options_.url + "' is no URL", kUrlRemedy);
    const auto seconds = static_cast<time_t>(std::ceil(options_.timeout));
    client_->set_connection_timeout(std::min<time_t>(seconds, 10));
    client_->set_read_timeout(seconds);
    client_->set_write_timeout(seconds);
    client_->set_keep_alive(true);
    client_->set_tcp_nodelay(true);       // a question is one small segment
    client_->set_follow_location(false);  // a token is for who was named
    if (!options_.ca_file.empty()) client_->set_ca_cert_path(options_.ca_file);
    if (options_.token_file.empty()) return {};
    if (!url_.tls && !http::is_loopback(url_.host))
      return fail("a token would go to " + url_.host + " for everybody on the way to read",
                  "use https");
    const auto token = token_of(options_.token_file);
    if (!token) return tl::unexpected(token.error());
    client_->set_bearer_token_auth(*token);
    return {};
  }

  Result<Reply> get(const std::string& path, const Query& query) {
    httplib::Params parameters;
    for (const auto& [name, value] : query) parameters.emplace(name, value);
    const std::string target =
        url_.prefix + (parameters.empty() ? path : httplib::append_query_params(path, parameters));
    Reply reply;
    bool too_long = false;
    const auto result = client_->Get(
        target, httplib::Headers{},
        [&](const httplib::Response& r) {
          take_head(r, reply);
          return true;
        },
        [&](const char* data, std::size_t n) { return take(data, n, reply, too_long); });
    if (too_long) return long_answer();
    if (!result) return no_answer(result.error());
    if (reply.status == 0) take_head(*result, reply);  // 204: no handler is called
    return reply;
  }

  Result<Reply> post(const std::string& path, const std::string& body, const std::string& type) {
    httplib::Request request;
    request.method = "POST";
    request.path = url_.prefix + path;
    request.body = body;
    request.headers = {{"Content-Type", type}};
    Reply reply;
    bool too_long = false;
    request.response_handler = [&](const httplib::Response& r) {
      take_head(r, reply);
      return true;
    };
    request.content_receiver = [&](const char* data, std::size_t n, std::uint64_t, std::uint64_t) {
      return take(data, n, reply, too_long);
    };
    const auto result = client_->send(request);
    if (too_long) return long_answer();
    if (!result) return no_answer(result.error());
    if (reply.status == 0) take_head(*result, reply);  // 204: no handler is called
    return reply;
  }

  [[nodiscard]] const Options& options() const { return options_; }

 private:
  static void take_head(const httplib::Response& r, Reply& reply) {
    reply.status = r.status;
    reply.content_type = r.get_header_value("Content-Type");
    reply.location = r.get_header_value("Location");
  }
  // Whether there may be more.
  bool take(const char* data, std::size_t n, Reply& reply, bool& too_long) const {
    too_long = reply.body.size() + n > options_.most_bytes;
    if (!too_long) reply.body.append(data, n);
    return !too_long;
  }
  [[nodiscard]] tl::unexpected<Error> long_answer() const {
    return fail(options_.who + " at " + options_.url + " answers more than " +
                    std::to_string(options_.most_bytes >> 20U) + " MB",
                "ask for a shorter time");
  }
  [[nodiscard]] tl::unexpected<Error> no_answer(httplib::Error error) const {
    std::string remedy = options_.start_it;
    if (error == httplib::Error::SSLServerVerification || error == httplib::Error::SSLLoadingCerts)
      remedy = "name the authority that signed it with --ca FILE";
    return fail(options_.who + " does not answer at " + options_.url + ": " + why(error), remedy);
  }

  Options options_;
  Url url_;
  std::optional<httplib::Client> client_;
};

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

Result<Client> Client::make(Options options) {
  auto url = parse_url(options.url);
  if (!url) return tl::unexpected(url.error());
  auto impl = std::make_unique<Impl>(std::move(options), std::move(*url));
  const auto ready = impl->prepare();
  if (!ready) return tl::unexpected(ready.error());
  return Client(std::move(impl));
}

Result<Reply> Client::get(const std::string& path, const Query& query) {
  return impl_->get(path, query);
}

Result<Reply> Client::post(const std::string& path, const std::string& body,
                           const std::string& content_type) {
  return impl_->post(path, body, content_type);
}

const std::string& Client::url() const { return impl_->options().url; }

Error Client::refusal(const Reply& reply, const std::string& path) const {
  const Options& o = impl_->options();
  const std::string told = plain_text(problem_text(reply.body), kMostShown);
  Error error;
  error.what = o.who + " at " + o.url + " answers " + std::to_string(reply.status) + " to " + path +
               (told.empty() ? "" : ": " + told);
  if (reply.status == 401 || reply.status == 403) {
    error.remedy = o.token_file.empty()
                       ? "it wants a token: --token-file FILE"
                       : "is the token in " + o.token_file + " one that it accepts?";
  } else if (reply.status >= 300 && reply.status < 400) {
    error.remedy = reply.location.empty()
                       ? "name the address itself"
                       : "name the address itself: " + plain_text(reply.location, kMostShown);
  } else if (reply.status == 404) {
    error.remedy = "is it " + o.who + ", and of this version?";
  } else if (reply.status == 429 || reply.status == 503) {
    error.remedy = "ask again in a second";
  }
  return error;
}

}  // namespace nz::client
