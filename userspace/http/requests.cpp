#include "userspace/http/requests.h"

#include <charconv>
#include <chrono>
#include <cstring>
#include <new>
#include <string_view>
#include <utility>
#include <vector>

#include "userspace/http/compression.h"
#include "userspace/http/cors.h"
#include "userspace/http/reply.h"

namespace nz::http {
namespace {

using Clock = std::chrono::steady_clock;

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
  } catch (const std::exception&) {
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

std::string_view header_of(MHD_Connection* connection, const char* name) {
  const char* value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
  return value == nullptr ? std::string_view{} : std::string_view(value);
}

// Content-Length; 0 where there is none (libmicrohttpd has refused malformed ones already).
std::size_t declared_body(MHD_Connection* connection) {
  const char* text = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Length");
  std::size_t bytes = 0;
  if (text != nullptr) std::from_chars(text, text + std::strlen(text), bytes);
  return bytes;
}

bool announces_body(MHD_Connection* connection) {
  return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Transfer-Encoding") != nullptr ||
         declared_body(connection) > 0;
}

}  // namespace

void Requests::end(void** upload) {
  delete static_cast<Upload*>(*upload);
  *upload = nullptr;
}

MHD_Result Requests::advance(MHD_Connection* connection, const char* url, const char* method,
                             const char* upload_data, std::size_t* upload_size, void** upload) {
  if (*upload == nullptr) {
    auto* begun = new Upload;
    *upload = begun;
    if (auto refusal = refuse(connection, url, method)) {
      counters_.rejected(refusal->cause);
      // An answer before the end of the request closes the connection, and the client would begin
      // a new one, with its handshake. Only what sends a body is cut off.
      if (announces_body(connection)) {
        return send(connection, std::move(refusal->response), false);
      }
      begun->refusal = std::move(refusal->response);
    }
    if (declared_body(connection) > options_.max_body_bytes) {
      counters_.rejected(Rejection::too_large);
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
  if (too_long || body_too_long) counters_.rejected(Rejection::too_large);
  const MHD_Result result =
      send(connection,
           too_long ? problem(414, "Path and query are too long.", request.path.substr(0, 64))
           : body_too_long ? problem(413, "The body is too long; 16 KB are enough.", request.path)
                           : answer(connection, request),
           accepts_gzip(request.header("Accept-Encoding")));
  counters_.worked(Clock::now() - begin);
  return result;
}

std::optional<Admission::Refusal> Requests::refuse(MHD_Connection* connection, const char* url,
                                                   const char* method) {
  const std::string& client = connections_.client(connection);
  if (is_preflight(connection, method))
    return gate_.admission().refuse_preflight(client, url, Clock::now());
  return gate_.admission().refuse(client, header_of(connection, MHD_HTTP_HEADER_AUTHORIZATION), url,
                                  Clock::now());
}

bool Requests::is_preflight(MHD_Connection* connection, const char* method) const {
  return gate_.cors()->is_preflight(method, header_of(connection, "Origin"),
                                    header_of(connection, "Access-Control-Request-Method"));
}

Response Requests::answer(MHD_Connection* connection, const Request& request) const {
  if (is_preflight(connection, request.method.c_str())) {
    const std::string methods = router_.methods_of(request.path);
    if (!methods.empty()) return Cors::preflight(header_of(connection, "Origin"), methods);
  }
  return router_.answer(request);
}

MHD_Result Requests::send(MHD_Connection* connection, Response response, bool gzip_allowed) {
  const int status = response.status;
  if (status != 204) gate_.cors()->add_headers(header_of(connection, "Origin"), response);
  const Reply reply = make_reply(std::move(response), gzip_allowed, options_.gzip_from_bytes);
  if (reply.response == nullptr) return MHD_NO;
  if (status == 405) counters_.rejected(Rejection::method);
  connections_.answering(connection);
  counters_.answered(status, reply.body_bytes);
  return MHD_queue_response(connection, static_cast<unsigned>(status), reply.response.get());
}

}  // namespace nz::http
