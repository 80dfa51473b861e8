#include "userspace/http/tls.h"

#include <gnutls/x509.h>

#include <algorithm>
#include <array>
#include <utility>

#include "userspace/http/secret_file.h"

namespace nz::http {
namespace {

struct Chain {
  unsigned count = 0;
  gnutls_x509_crt_t* list = nullptr;
  Chain() = default;
  Chain(const Chain&) = delete;
  Chain& operator=(const Chain&) = delete;
  ~Chain() {
    for (unsigned i = 0; i < count; i++) gnutls_x509_crt_deinit(list[i]);
    gnutls_free(list);
  }
};

gnutls_datum_t datum_of(std::string& text) {
  return {reinterpret_cast<unsigned char*>(text.data()), static_cast<unsigned>(text.size())};
}

std::string date_of(std::time_t time) {
  std::tm utc{};
  gmtime_r(&time, &utc);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M UTC", &utc);
  return text.data();
}

/// When the chain ends to be valid. Errors: not valid now.
Result<std::time_t> check_dates(const Chain& chain, const std::string& place) {
  const std::time_t now = std::time(nullptr);
  std::time_t first_end = gnutls_x509_crt_get_expiration_time(chain.list[0]);
  for (unsigned i = 0; i < chain.count; i++) {
    const std::time_t begin = gnutls_x509_crt_get_activation_time(chain.list[i]);
    const std::time_t end = gnutls_x509_crt_get_expiration_time(chain.list[i]);
    const std::string which = i == 0 ? "" : " (certificate " + std::to_string(i + 1) + " in it)";
    if (end < now) {
      return fail(place + which + ": expired on " + date_of(end),
                  "renew the certificate, then start again or send SIGHUP");
    }
    if (begin > now) {
      return fail(place + which + ": not valid before " + date_of(begin),
                  "check the host's clock, or wait");
    }
    first_end = std::min(first_end, end);
  }
  return first_end;
}

}  // namespace

Certificate::Certificate() { gnutls_certificate_allocate_credentials(&credentials_); }

Certificate::~Certificate() { gnutls_certificate_free_credentials(credentials_); }

void Certificate::present(gnutls_session_t session) const {
  gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials_);
}

Result<std::shared_ptr<const Certificate>> Certificate::load(const std::string& certificate,
                                                             const std::string& key) {
  auto chain_text = read_protected(certificate, "http.tls.certificate", false);
  if (!chain_text) return tl::unexpected(chain_text.error());
  auto key_text = read_protected(key, "http.tls.key", true);
  if (!key_text) return tl::unexpected(key_text.error());
  const std::string place = "http.tls.certificate: " + certificate;

  Chain chain;
  const gnutls_datum_t chain_data = datum_of(*chain_text);
  if (const int error = gnutls_x509_crt_list_import2(&chain.list, &chain.count, &chain_data,
                                                     GNUTLS_X509_FMT_PEM, 0);
      error < 0 || chain.count == 0) {
    return fail(place + ": no certificate can be read from it: " + gnutls_strerror(error),
                "give a PEM file: the server's certificate, then those of its issuers");
  }
  const auto expires = check_dates(chain, place);
  if (!expires) return tl::unexpected(expires.error());

  auto out = std::make_shared<Certificate>();
  out->expires_ = *expires;
  const gnutls_datum_t key_data = datum_of(*key_text);
  const int error = gnutls_certificate_set_x509_key_mem2(out->credentials_, &chain_data, &key_data,
                                                         GNUTLS_X509_FMT_PEM, nullptr, 0);
  gnutls_memset(key_text->data(), 0, key_text->size());
  if (error == GNUTLS_E_CERTIFICATE_KEY_MISMATCH) {
    return fail(
        "http.tls.key: " + key + " is not the key of " + certificate,
        "give the key that the certificate was requested with; the server's own certificate "
        "comes first in its file");
  }
  if (error < 0) {
    return fail("http.tls.key: " + key + ": no usable private key in it: " + gnutls_strerror(error),
                "give a PEM file without a passphrase: openssl pkey -in KEY -out PLAIN");
  }
  return std::shared_ptr<const Certificate>(std::move(out));
}

}  // namespace nz::http
