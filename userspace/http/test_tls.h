// A certificate and a TLS client for tests only. The client can misbehave: what it sends goes out
// as many bytes at a time as it is told.
#pragma once

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>

#include "userspace/http/server.h"
#include "userspace/http/test_client.h"

namespace nz::http::testing {

/// A self-signed certificate and its key, and a token, in files that go with it.
class Identity {
 public:
  static constexpr const char* kToken = "0123456789abcdef0123456789abcdef";

  Identity() {
    char folder[] = "/tmp/nearzero-tls.XXXXXX";
    EXPECT_NE(mkdtemp(folder), nullptr);
    folder_ = folder;
    gnutls_x509_privkey_t key = nullptr;
    gnutls_x509_crt_t certificate = nullptr;
    EXPECT_EQ(gnutls_x509_privkey_init(&key), 0);
    EXPECT_EQ(gnutls_x509_crt_init(&certificate), 0);
    EXPECT_EQ(gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
                                           GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
              0);
    const time_t now = time(nullptr);
    gnutls_x509_crt_set_version(certificate, 3);
    gnutls_x509_crt_set_serial(certificate, "\x01", 1);
    gnutls_x509_crt_set_activation_time(certificate, now - 60);
    gnutls_x509_crt_set_expiration_time(certificate, now + 86'400);
    gnutls_x509_crt_set_dn(certificate, "CN=localhost", nullptr);
    gnutls_x509_crt_set_key(certificate, key);
    EXPECT_EQ(gnutls_x509_crt_sign2(certificate, certificate, key, GNUTLS_DIG_SHA256, 0), 0);
    gnutls_datum_t pem{};
    gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &pem);
    write("key", pem);
    gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_PEM, &pem);
    write("certificate", pem);
    std::ofstream(path("tokens")) << kToken << "\n";
    chmod(path("tokens").c_str(), 0600);
    gnutls_x509_crt_deinit(certificate);
    gnutls_x509_privkey_deinit(key);
  }
  ~Identity() {
    for (const char* name : {"key", "certificate", "tokens"}) unlink(path(name).c_str());
    rmdir(folder_.c_str());
  }
  Identity(const Identity&) = delete;
  Identity& operator=(const Identity&) = delete;

  [[nodiscard]] Protection protection() const {
    Protection p;
    p.certificate = path("certificate");
    p.key = path("key");
    p.token_file = path("tokens");
    return p;
  }

 private:
  [[nodiscard]] std::string path(const std::string& name) const { return folder_ + "/" + name; }
  void write(const std::string& name, gnutls_datum_t& pem) const {
    std::ofstream(path(name)) << std::string_view(reinterpret_cast<const char*>(pem.data),
                                                  pem.size);
    chmod(path(name).c_str(), 0600);
    gnutls_free(pem.data);
  }

  std::string folder_;
};

class TlsClient {
 public:
  explicit TlsClient(std::uint16_t port) : fd_(dial(port)) {
    gnutls_certificate_allocate_credentials(&credentials_);
    gnutls_init(&session_, GNUTLS_CLIENT);
    gnutls_set_default_priority(session_);
    gnutls_credentials_set(session_, GNUTLS_CRD_CERTIFICATE, credentials_);
    gnutls_transport_set_ptr(session_, this);
    gnutls_transport_set_push_function(session_, &push);
    gnutls_transport_set_pull_function(session_, &pull);
    gnutls_transport_set_pull_timeout_function(session_, gnutls_system_recv_timeout);
  }
  ~TlsClient() {
    gnutls_deinit(session_);
    gnutls_certificate_free_credentials(credentials_);
  }
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  /// From now on nothing goes out that let_out() does not let out: a handshake byte by byte.
  void hold_back() { may_send_ = 0; }
  void let_out(std::size_t bytes) { may_send_ += bytes; }
  [[nodiscard]] std::size_t sent() const { return sent_; }

  /// One try: false where let_out() does not let all of it out yet, or the server has closed.
  bool handshake() { return gnutls_handshake(session_) == GNUTLS_E_SUCCESS; }

  bool send(std::string_view text) {
    return gnutls_record_send(session_, text.data(), text.size()) ==
           static_cast<ssize_t>(text.size());
  }

  /// A GET on a connection that stays, with the token.
  bool ask(const std::string& target) {
    return send("GET " + target + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " +
                Identity::kToken + "\r\n\r\n");
  }

  /// The next answer; status 0 where the server closed before its end.
  Reply receive() {
    std::string text;
    for (;;) {
      if (const auto head = text.find("\r\n\r\n"); head != std::string::npos) {
        const Reply reply = parse_reply(text);
        const auto length = reply.headers.find("content-length");
        const std::size_t body =
            length == reply.headers.end() ? 0 : std::strtoul(length->second.c_str(), nullptr, 10);
        if (text.size() >= head + 4 + body) return reply;
      }
      char buffer[16384];
      const ssize_t n = gnutls_record_recv(session_, buffer, sizeof buffer);
      if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED) continue;  // a ticket, for instance
      if (n <= 0) return {};
      text.append(buffer, static_cast<std::size_t>(n));
    }
  }

  /// Whether the server has ended the connection; reads and drops what it has sent.
  [[nodiscard]] bool closed() const {
    char byte[4096];
    ssize_t n = 0;
    while ((n = recv(fd_.get(), byte, sizeof byte, MSG_DONTWAIT)) > 0) {
    }
    return n == 0 || errno != EAGAIN;
  }

 private:
  static ssize_t push(gnutls_transport_ptr_t self, const void* data, std::size_t size) {
    auto& client = *static_cast<TlsClient*>(self);
    size = std::min(size, client.may_send_);
    if (size == 0) {
      gnutls_transport_set_errno(client.session_, EAGAIN);
      return -1;
    }
    const ssize_t n = ::send(client.fd_.get(), data, size, MSG_NOSIGNAL);
    if (n > 0) {
      client.may_send_ -= static_cast<std::size_t>(n);
      client.sent_ += static_cast<std::size_t>(n);
    }
    return n;
  }
  static ssize_t pull(gnutls_transport_ptr_t self, void* data, std::size_t size) {
    return recv(static_cast<TlsClient*>(self)->fd_.get(), data, size, 0);
  }

  Fd fd_;
  gnutls_certificate_credentials_t credentials_ = nullptr;
  gnutls_session_t session_ = nullptr;
  std::size_t may_send_ = static_cast<std::size_t>(1) << 40;
  std::size_t sent_ = 0;
};

}  // namespace nz::http::testing
