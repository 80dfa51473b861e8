// Who may ask at the moment: certificate, tokens, rates and origins, replaced while the server
// runs.
#pragma once

#include <memory>
#include <mutex>

#include "userspace/base/result.h"
#include "userspace/http/admission.h"
#include "userspace/http/cors.h"
#include "userspace/http/secrets.h"
#include "userspace/http/server.h"
#include "userspace/http/tls.h"

namespace nz::http {

/// Thread-safe.
class Gate {
 public:
  /// `secrets`: those of the files of `protection`.
  Gate(Secrets secrets, const Protection& protection);
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  /// See Server::protect().
  Result<void> replace(const Protection& protection);

  [[nodiscard]] bool tls() const { return tls_; }
  /// That of the next handshake; null without TLS.
  [[nodiscard]] std::shared_ptr<const Certificate> certificate() const;
  [[nodiscard]] std::shared_ptr<const Cors> cors() const;
  [[nodiscard]] Admission& admission() { return admission_; }

 private:
  void take(Secrets secrets, const Protection& protection);

  const bool tls_;
  Admission admission_;
  mutable std::mutex mutex_;
  Protection protection_;
  std::shared_ptr<const Certificate> certificate_;
  std::shared_ptr<const Cors> cors_;
};

}  // namespace nz::http
