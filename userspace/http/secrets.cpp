#include "userspace/http/secrets.h"

#include <utility>

namespace nz::http {

Result<Secrets> load_secrets(const Protection& protection) {
  Secrets secrets;
  if (protection.certificate.empty() != protection.key.empty()) {
    return fail(protection.key.empty() ? "http.tls.certificate is given without http.tls.key"
                                       : "http.tls.key is given without http.tls.certificate",
                "give both, or none for plain HTTP");
  }
  if (protection.tls()) {
    auto certificate = Certificate::load(protection.certificate, protection.key);
    if (!certificate) return tl::unexpected(certificate.error());
    secrets.certificate = std::move(*certificate);
  }
  if (!protection.token_file.empty()) {
    auto tokens = Tokens::load(protection.token_file);
    if (!tokens) return tl::unexpected(tokens.error());
    secrets.tokens = std::move(*tokens);
  }
  return secrets;
}

Reach reach_of(const Secrets& secrets) {
  return secrets.certificate && secrets.tokens ? Reach::other_hosts : Reach::this_host;
}

}  // namespace nz::http
