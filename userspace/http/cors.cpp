#include "userspace/http/cors.h"

#include <algorithm>

namespace nz::http {

bool Cors::allows(std::string_view origin) const {
  return std::find(origins_.begin(), origins_.end(), origin) != origins_.end();
}

bool Cors::is_preflight(std::string_view method, std::string_view origin,
                        std::string_view requested_method) const {
  return method == "OPTIONS" && !requested_method.empty() && allows(origin);
}

Response Cors::preflight(std::string_view origin, const std::string& methods) {
  Response response;
  response.status = 204;
  response.headers = {
      {"Access-Control-Allow-Origin", std::string(origin)},
      {"Access-Control-Allow-Methods", methods},
      // What a page may send: the token, the kind of a report's body, a validator.
      {"Access-Control-Allow-Headers", "Authorization, Content-Type, If-None-Match"},
      {"Access-Control-Max-Age", "600"},
      {"Vary", "Origin"}};
  return response;
}

void Cors::add_headers(std::string_view origin, Response& response) const {
  if (origins_.empty()) return;
  response.headers.emplace_back("Vary", "Origin");
  if (!allows(origin)) return;
  response.headers.emplace_back("Access-Control-Allow-Origin", std::string(origin));
  // Beyond what a page always sees (type, length): which report it made, when to ask again.
  response.headers.emplace_back("Access-Control-Expose-Headers", "ETag, Location, Retry-After");
}

}  // namespace nz::http
