// Finds the handler of a request, and answers what has none.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "userspace/base/result.h"
#include "userspace/http/message.h"

namespace nz::http {

class Router {
 public:
  /// Errors: a path that does not begin with '/', two routes with the same method and path, a route
  /// without a handler.
  static Result<Router> make(std::vector<Route> routes);

  /// The handler's response; 404 for an unknown path, 405 with Allow for an unknown method, 500 if
  /// the handler throws (logged with what it said; the caller learns only that it failed).
  [[nodiscard]] Response answer(const Request& request) const;

 private:
  std::map<std::string, std::map<std::string, Handler>> paths_;  // path -> method -> handler
};

}  // namespace nz::http
