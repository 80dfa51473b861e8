#include "userspace/http/gate.h"

#include <utility>

namespace nz::http {

Gate::Gate(Secrets secrets, const Protection& protection) : tls_(secrets.certificate != nullptr) {
  take(std::move(secrets), protection);
}

Result<void> Gate::replace(const Protection& protection) {
  auto secrets = load_secrets(protection);
  if (!secrets) return tl::unexpected(secrets.error());
  const std::lock_guard lock(mutex_);
  const bool tokens_before = !protection_.token_file.empty();
  if (tls_ != protection.tls() || tokens_before != !protection.token_file.empty()) {
    return fail("TLS and tokens cannot be switched on or off while the server runs",
                "start the agent again");
  }
  take(std::move(*secrets), protection);
  return {};
}

void Gate::take(Secrets secrets, const Protection& protection) {
  protection_ = protection;
  certificate_ = std::move(secrets.certificate);
  cors_ = std::make_shared<const Cors>(protection.cors_origins);
  admission_.set(std::move(secrets.tokens), protection.requests_per_second,
                 protection.request_burst);
}

std::shared_ptr<const Certificate> Gate::certificate() const {
  const std::lock_guard lock(mutex_);
  return certificate_;
}

std::shared_ptr<const Cors> Gate::cors() const {
  const std::lock_guard lock(mutex_);
  return cors_;
}

}  // namespace nz::http
