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

// Nothing is copied; libmicrohttpd lets go of the body when the last byte is sent.
OwnedResponse response_of(std::shared_ptr<const std::string> body) {
  using Owned = std::shared_ptr<const std::string>;
  auto owned = std::make_unique<Owned>(std::move(body));
  const std::string& text = **owned;
  OwnedResponse response(MHD_create_response_from_buffer_with_free_callback_cls(
      text.size(), const_cast<char*>(text.data()), [](void* p) { delete static_cast<Owned*>(p); },
      owned.get()));
  if (response != nullptr) static_cast<void>(owned.release());
  return response;
}

// The body as it is sent, and whether that is compressed.
std::pair<std::shared_ptr<const std::string>, bool> encoded(Response& response, bool gzip_it) {
  if (gzip_it && response.gzip_body) return {response.gzip_body, true};
  if (gzip_it) {
    if (auto small = gzip(response.text()))
      return {std::make_shared<const std::string>(std::move(*small)), true};
  }
  if (response.shared_body) return {response.shared_body, false};
  return {std::make_shared<const std::string>(std::move(response.body)), false};
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
  const bool worth_compressing = response.text().size() > gzip_from_bytes;
  auto [body, compressed] = encoded(response, gzip_allowed && worth_compressing);
  const std::size_t bytes = body->size();
  OwnedResponse out = response_of(std::move(body));
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
