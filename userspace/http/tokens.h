// Bearer tokens (RFC 6750): who may ask.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/base/result.h"

namespace nz::http {

constexpr std::size_t kShortestToken = 32;  ///< characters; `openssl rand -hex 32` makes 64

class Tokens {
 public:
  /// One token a line; empty lines and lines that begin with '#' are left out, so that a new token
  /// can be accepted beside the old one while clients change over. `name` stands for the source in
  /// messages, which never show a token. Errors name the line: shorter than kShortestToken,
  /// characters that a header cannot carry, no token at all, more than 64.
  static Result<Tokens> parse(std::string_view text, const std::string& name);

  /// The same from `http.token_file`, which must not be readable by others.
  static Result<Tokens> load(const std::string& path);

  /// Whether an Authorization header ("Bearer TOKEN") carries one of them. Takes the same time
  /// whichever token it resembles, and how much.
  [[nodiscard]] bool accept(std::string_view authorization) const;

  [[nodiscard]] std::size_t size() const { return digests_.size(); }

 private:
  using Digest = std::array<std::uint8_t, 32>;  // SHA-256: equal lengths, and no token in memory
  static Digest digest_of(std::string_view token);
  std::vector<Digest> digests_;
};

}  // namespace nz::http
