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
  /// A path may have segments in braces, which stand for any one segment that is not empty:
  /// /performance/reports/{id}; a path without them comes first. Errors: a path that does not begin
  /// with '/', two routes with the same method and path, a route without a handler.
  static Result<Router> make(std::vector<Route> routes);

  /// The handler's response; 404 for an unknown path, 405 with Allow for an unknown method, 500 if
  /// the handler throws (logged with what it said; the caller learns only that it failed).
  [[nodiscard]] Response answer(const Request& request) const;

  /// "GET, HEAD, POST": what the path answers; empty where there is nothing at it.
  [[nodiscard]] std::string methods_of(const std::string& path) const;

 private:
  using Methods = std::map<std::string, Handler>;
  using Params = std::vector<std::pair<std::string, std::string>>;
  [[nodiscard]] const Methods* find(const std::string& path, Params& params) const;

  std::map<std::string, Methods> paths_;  // path -> method -> handler
  std::vector<std::string> templates_;    // those of the paths that have braces
};

}  // namespace nz::http
