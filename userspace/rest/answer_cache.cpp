#include "userspace/rest/answer_cache.h"

#include <fmt/format.h>

#include "userspace/http/compression.h"
#include "userspace/rest/page.h"

namespace nz::rest {
namespace {

constexpr std::size_t kWorthCompressing = 1024;

std::string key_of(const http::Request& request) {
  std::string key = request.path;
  for (const auto& [name, value] : request.query_params) {
    key += fmt::format("\n{}:{}={}", name.size(), name, value);
  }
  return key;
}

std::string header_of(const http::Response& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return "";
}

}  // namespace

void tag(http::Response& response) {
  // Weak: the same answer compressed is the same to the caller.
  response.headers.emplace_back(
      "ETag", fmt::format("W/\"{:x}-{:016x}\"", response.text().size(), hash_of(response.text())));
  response.headers.emplace_back("Cache-Control", "no-cache");
}

http::Response unless_known(const http::Request& request, http::Response response) {
  const std::string known = request.header("If-None-Match");
  const std::string etag = header_of(response, "ETag");
  if (known.empty() || etag.empty() || response.status != 200) return response;
  // Comparison is weak, so the marks do not count; a tag has no comma of its own.
  const std::string opaque = etag.substr(2);
  if (known != "*" && known.find(opaque) == std::string::npos) return response;
  response.status = 304;
  response.body.clear();
  response.shared_body.reset();
  response.gzip_body.reset();
  return response;
}

http::Response AnswerCache::answer(std::uint64_t generation, const http::Request& request,
                                   const std::function<http::Response()>& render) {
  if (generation != generation_) {
    answers_.clear();
    bytes_ = 0;
    generation_ = generation;
  }
  const std::string key = key_of(request);
  auto found = answers_.find(key);
  if (found == answers_.end()) {
    http::Response response = render();
    if (response.status != 200) return response;
    tag(response);
    const std::size_t bytes = key.size() + 2 * response.body.size();
    if (answers_.size() >= kMostAnswers || bytes_ + bytes > kMostBytes) return response;
    bytes_ += bytes;
    response.shared_body = std::make_shared<const std::string>(std::move(response.body));
    response.body.clear();
    found = answers_.emplace(key, std::move(response)).first;
  }
  http::Response& kept = found->second;
  if (!kept.gzip_body && kept.text().size() > kWorthCompressing &&
      http::accepts_gzip(request.header("Accept-Encoding"))) {
    if (auto small = http::gzip(kept.text()))
      kept.gzip_body = std::make_shared<const std::string>(std::move(*small));
  }
  return kept;
}

}  // namespace nz::rest
