// The server's certificate and key, which can be replaced while it runs.
#pragma once

#include <gnutls/gnutls.h>

#include <ctime>
#include <memory>
#include <string>

#include "userspace/base/result.h"

namespace nz::http {

/// What is offered and accepted: TLS 1.2 and 1.3, AEAD ciphers, forward secrecy.
constexpr const char* kTlsPriorities =
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-CIPHER-ALL:+AES-256-GCM:+CHACHA20-POLY1305:"
    "+AES-128-GCM:-RSA:%SERVER_PRECEDENCE";

/// A chain of certificates with the key of the first, from two PEM files.
class Certificate {
 public:
  /// Errors name the configuration's key and the file: unreadable, a key file that others may read,
  /// no certificate in it, expired or not yet valid, an encrypted key, the key of another
  /// certificate.
  static Result<std::shared_ptr<const Certificate>> load(const std::string& certificate,
                                                         const std::string& key);
  Certificate();
  Certificate(const Certificate&) = delete;
  Certificate& operator=(const Certificate&) = delete;
  ~Certificate();

  /// Makes a session present this certificate, which must outlive it. To be called before its
  /// handshake.
  void present(gnutls_session_t session) const;

  /// The end of its validity: that of the certificate in the chain which ends first.
  [[nodiscard]] std::time_t expires() const { return expires_; }

 private:
  gnutls_certificate_credentials_t credentials_ = nullptr;
  std::time_t expires_ = 0;
};

}  // namespace nz::http
