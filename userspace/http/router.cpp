#include "userspace/http/router.h"

#include <spdlog/spdlog.h>

#include <exception>
#include <utility>

namespace nz::http {
namespace {

std::string allowed_methods(const std::map<std::string, Handler>& methods) {
  std::string result;
  for (const auto& [method, handler] : methods) {
    if (!result.empty()) result += ", ";
    result += method == "GET" ? "GET, HEAD" : method;
  }
  return result;
}

Response handler_failed(const Request& request, const char* what) {
  spdlog::error("http: handler of {} {} failed: {}", request.method, request.path, what);
  return problem(500, "This request could not be answered; the agent's log says why.",
                 request.path);
}

}  // namespace

Result<Router> Router::make(std::vector<Route> routes) {
  Router router;
  for (Route& route : routes) {
    if (route.path.empty() || route.path.front() != '/') {
      return fail("route '" + route.path + "' does not begin with '/'");
    }
    if (!route.handler) return fail("route " + route.method + " " + route.path + " has no handler");
    const bool added =
        router.paths_[route.path].emplace(route.method, std::move(route.handler)).second;
    if (!added) return fail("two routes for " + route.method + " " + route.path);
  }
  return router;
}

Response Router::answer(const Request& request) const {
  const auto methods = paths_.find(request.path);
  if (methods == paths_.end()) {
    std::string known;
    for (const auto& [path, ignored] : paths_) known += (known.empty() ? "" : ", ") + path;
    return problem(404, "There is nothing at this path. Known paths: " + known + ".", request.path);
  }
  const auto handler = methods->second.find(request.method);
  if (handler == methods->second.end()) {
    const std::string allowed = allowed_methods(methods->second);
    Response response = problem(405, "This path answers " + allowed + " only.", request.path);
    response.headers.emplace_back("Allow", allowed);
    return response;
  }
  try {
    return handler->second(request);
  } catch (const std::exception& e) {
    return handler_failed(request, e.what());
  } catch (...) {
    return handler_failed(request, "an exception that is not a std::exception");
  }
}

}  // namespace nz::http
