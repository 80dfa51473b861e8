// Answers that were rendered from the present view: a thousand equal requests a second cost one
// rendering and one compression for each drain.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "userspace/http/message.h"

namespace nz::rest {

class AnswerCache {
 public:
  static constexpr std::size_t kMostAnswers = 128;
  static constexpr std::size_t kMostBytes = std::size_t{8} << 20;

  /// The answer to `request` in this generation: as it was, or from `render`. Only a 200 is kept,
  /// with its entity tag, and compressed once somebody accepts that.
  http::Response answer(std::uint64_t generation, const http::Request& request,
                        const std::function<http::Response()>& render);

 private:
  std::uint64_t generation_ = 0;
  std::size_t bytes_ = 0;
  std::unordered_map<std::string, http::Response> answers_;
};

/// Adds the entity tag of the body.
void tag(http::Response& response);

/// 304 without a body where the caller has this answer already (If-None-Match, RFC 9110, 13.1.2).
http::Response unless_known(const http::Request& request, http::Response response);

}  // namespace nz::rest
