#include "userspace/http/tokens.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <strings.h>

#include "userspace/base/trimmed.h"
#include "userspace/http/secret_file.h"

namespace nz::http {
namespace {

constexpr std::size_t kMostTokens = 64;  // each is compared with at every request
constexpr const char* kHowToMake = "make one with: openssl rand -hex 32";

// b64token of RFC 6750, 2.1.
bool is_token(std::string_view text) {
  return text.find_first_not_of(
             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=") ==
         std::string_view::npos;
}

}  // namespace

Tokens::Digest Tokens::digest_of(std::string_view token) {
  Digest digest{};
  gnutls_hash_fast(GNUTLS_DIG_SHA256, token.data(), token.size(), digest.data());
  return digest;
}

Result<Tokens> Tokens::parse(std::string_view text, const std::string& name) {
  Tokens tokens;
  for (std::size_t line = 1; !text.empty(); line++) {
    const auto end = text.find('\n');
    const std::string_view token = trimmed(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (token.empty() || token.front() == '#') continue;
    const std::string place = name + ":" + std::to_string(line);
    if (!is_token(token)) {
      return fail(place + ": a token may hold A-Z a-z 0-9 - . _ ~ + / = only", kHowToMake);
    }
    if (token.size() < kShortestToken) {
      return fail(place + ": a token of " + std::to_string(token.size()) +
                      " characters can be guessed, at least " + std::to_string(kShortestToken) +
                      " are needed",
                  kHowToMake);
    }
    if (tokens.digests_.size() == kMostTokens) {
      return fail(place + ": more than " + std::to_string(kMostTokens) + " tokens",
                  "remove those that are no longer used");
    }
    tokens.digests_.push_back(digest_of(token));
  }
  if (tokens.digests_.empty()) return fail(name + ": holds no token", kHowToMake);
  return tokens;
}

Result<Tokens> Tokens::load(const std::string& path) {
  const auto text = read_protected(path, "http.token_file", true);
  if (!text) return tl::unexpected(text.error());
  return parse(*text, "http.token_file: " + path);
}

bool Tokens::accept(std::string_view authorization) const {
  constexpr std::string_view kScheme = "Bearer ";
  if (authorization.size() < kScheme.size() ||
      strncasecmp(authorization.data(), kScheme.data(), kScheme.size()) != 0) {
    return false;
  }
  const Digest given = digest_of(trimmed(authorization.substr(kScheme.size())));
  bool known = false;
  // No early end: all are compared, each in constant time.
  for (const Digest& digest : digests_) {
    known |= gnutls_memcmp(digest.data(), given.data(), digest.size()) == 0;
  }
  return known;
}

}  // namespace nz::http
