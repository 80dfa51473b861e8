#include "userspace/http/message.h"

#include <strings.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace nz::http {
namespace {

const char* title_of(int status) {
  switch (status) {
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 413:
      return "Content Too Large";
    case 409:
      return "Conflict";
    case 415:
      return "Unsupported Media Type";
    case 414:
      return "URI Too Long";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    default:
      return status < 500 ? "Request Refused" : "Server Error";
  }
}

bool same_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

std::optional<std::string_view> Request::query(std::string_view name) const {
  const auto it = std::find_if(query_params.begin(), query_params.end(),
                               [&](const auto& p) { return p.first == name; });
  if (it == query_params.end()) return std::nullopt;
  return it->second;
}

std::string_view Request::path_param(std::string_view name) const {
  const auto it = std::find_if(path_params.begin(), path_params.end(),
                               [&](const auto& p) { return p.first == name; });
  return it == path_params.end() ? std::string_view{} : it->second;
}

std::string Request::header(std::string_view name) const {
  std::string result;
  for (const auto& [key, value] : headers) {
    if (!same_ignoring_case(key, name)) continue;
    if (!result.empty()) result += ", ";
    result += value;
  }
  return result;
}

Response problem(int status, std::string_view detail, std::string_view instance,
                 const std::vector<ProblemError>& errors) {
  nlohmann::ordered_json body;
  body["type"] = "about:blank";
  body["title"] = title_of(status);
  body["status"] = status;
  body["detail"] = detail;
  body["instance"] = instance;
  for (const ProblemError& e : errors) {
    body["errors"].push_back(
        {{"parameter", e.parameter}, {"detail", e.detail}, {"remedy", e.remedy}});
  }
  Response response;
  response.status = status;
  response.content_type = "application/problem+json";
  // The path may hold any bytes: replace what is not UTF-8 instead of throwing.
  response.body = body.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  return response;
}

}  // namespace nz::http
