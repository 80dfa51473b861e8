// Which web pages of other origins may read answers: cross-origin resource sharing, as the Fetch
// standard has it (https://fetch.spec.whatwg.org/#http-cors-protocol).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "userspace/http/message.h"

namespace nz::http {

class Cors {
 public:
  /// None: no page of another origin may read anything, and no answer says a word about it.
  explicit Cors(std::vector<std::string> origins = {}) : origins_(std::move(origins)) {}

  /// Compared byte for byte: browsers send origins in one form only.
  [[nodiscard]] bool allows(std::string_view origin) const;

  /// Whether a browser asks before the request proper, for a page that may. It sends no token then,
  /// by that standard: it is answered without.
  [[nodiscard]] bool is_preflight(std::string_view method, std::string_view origin,
                                  std::string_view requested_method) const;

  /// The answer: `methods` ("GET, HEAD") are those of the path.
  [[nodiscard]] static Response preflight(std::string_view origin, const std::string& methods);

  /// Lets the page read `response`, where it may.
  void add_headers(std::string_view origin, Response& response) const;

 private:
  std::vector<std::string> origins_;
};

}  // namespace nz::http
