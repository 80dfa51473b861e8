#include "userspace/http/reply.h"

#include <strings.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "userspace/http/compression.h"

namespace nz::http {
namespace {

using OwnedResponse = std::unique_ptr<MHD_Response, ResponseDestroy>;

// Takes the body without copying it; libmicrohttpd frees it when the last byte is sent.
OwnedResponse response_owning(std::string body) {
  auto owned = std::make_unique<std::string>(std::move(body));
  OwnedResponse response(MHD_create_response_from_buffer_with_free_callback_cls(
      owned->size(), owned->data(), [](void* p) { delete static_cast<std::string*>(p); },
      owned.get()));
  if (response != nullptr) static_cast<void>(owned.release());
  return response;
}

// A handler's own header wins: a web page has another policy, a validator (ETag) asks for reuse.
void add_security_headers(MHD_Response* out, const Response& response) {
  const auto has = [&](std::string_view name) {
    return std::any_of(response.headers.begin(), response.headers.end(), [&](const auto& h) {
      return h.first.size() == name.size() &&
             strncasecmp(h.first.data(), name.data(), name.size()) == 0;
    });
  };
  MHD_add_response_header(out, "X-Content-Type-Options", "nosniff");
  if (!has("Cache-Control")) {
    MHD_add_response_header(out, "Cache-Control", has("ETag") ? "no-cache" : "no-store");
  }
  if (!has("Content-Security-Policy")) {
    MHD_add_response_header(out, "Content-Security-Policy",
                            "default-src 'none'; frame-ancestors 'none'");
  }
}

}  // namespace

Reply make_reply(Response response, bool gzip_allowed, std::size_t gzip_from_bytes) {
  bool compressed = false;
  const bool worth_compressing = response.body.size() > gzip_from_bytes;
  if (gzip_allowed && worth_compressing && response.gzip_body) {
    response.body = *response.gzip_body;
    compressed = true;
  } else if (gzip_allowed && worth_compressing) {
    if (auto small = gzip(response.body)) {
      response.body = std::move(*small);
      compressed = true;
    }
  }
  const std::size_t bytes = response.body.size();
  OwnedResponse out = response_owning(std::move(response.body));
  if (out == nullptr) return {};
  MHD_add_response_header(out.get(), "Content-Type", response.content_type.c_str());
  add_security_headers(out.get(), response);
  if (compressed) MHD_add_response_header(out.get(), "Content-Encoding", "gzip");
  if (worth_compressing) MHD_add_response_header(out.get(), "Vary", "Accept-Encoding");
  for (const auto& [name, value] : response.headers) {
    MHD_add_response_header(out.get(), name.c_str(), value.c_str());
  }
  return {std::move(out), bytes};
}

}  // namespace nz::http
