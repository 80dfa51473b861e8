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

bool is_template(std::string_view path) { return path.find('{') != std::string_view::npos; }

// Takes the next segment off `path`, which begins with '/'.
std::string_view next_segment(std::string_view& path) {
  path.remove_prefix(1);
  const std::string_view segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size());
  return segment;
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
    if (is_template(route.path) && !router.paths_.contains(route.path)) {
      router.templates_.push_back(route.path);
    }
    const bool added =
        router.paths_[route.path].emplace(route.method, std::move(route.handler)).second;
    if (!added) return fail("two routes for " + route.method + " " + route.path);
  }
  return router;
}

const Router::Methods* Router::find(const std::string& path, Params& params) const {
  const auto exact = paths_.find(path);
  if (exact != paths_.end() && !is_template(path)) return &exact->second;
  for (const std::string& pattern : templates_) {
    std::string_view wanted = pattern;
    std::string_view given = path;
    params.clear();
    bool matches = true;
    while (matches && !wanted.empty() && given.starts_with('/')) {
      const std::string_view name = next_segment(wanted);
      const std::string_view value = next_segment(given);
      if (name.starts_with('{') && name.ends_with('}')) {
        params.emplace_back(name.substr(1, name.size() - 2), value);
        matches = !value.empty();
      } else {
        matches = name == value;
      }
    }
    if (matches && wanted.empty() && given.empty()) return &paths_.at(pattern);
  }
  return nullptr;
}

std::string Router::methods_of(const std::string& path) const {
  Params params;
  const Methods* methods = find(path, params);
  return methods == nullptr ? "" : allowed_methods(*methods);
}

Response Router::answer(const Request& request) const {
  Params params;
  const Methods* methods = find(request.path, params);
  if (methods == nullptr) {
    std::string known;
    for (const auto& [path, ignored] : paths_) known += (known.empty() ? "" : ", ") + path;
    return problem(404, "There is nothing at this path. Known paths: " + known + ".", request.path);
  }
  const auto handler = methods->find(request.method);
  if (handler == methods->end()) {
    const std::string allowed = allowed_methods(*methods);
    Response response = problem(405, "This path answers " + allowed + " only.", request.path);
    response.headers.emplace_back("Allow", allowed);
    return response;
  }
  try {
    if (params.empty()) return handler->second(request);
    Request with_params = request;
    with_params.path_params = std::move(params);
    return handler->second(with_params);
  } catch (const std::exception& e) {
    return handler_failed(request, e.what());
  } catch (...) {
    return handler_failed(request, "an exception that is not a std::exception");
  }
}

}  // namespace nz::http
