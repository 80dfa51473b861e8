// nz-http-load: requests at a fixed rate, whether or not the answers keep up, and how late each
// answer is. The time counts from when a request was due: a server that stalls is charged for
// everything that waited (coordinated omission). Over TLS the certificate is not verified: it is
// our own agent's.
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <poll.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "tests/workloads/common/sockets.h"

namespace {

double now() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

struct Connection {
  int fd = -1;
  gnutls_session_t tls = nullptr;  // or plain
  bool busy = false;
  double due = 0;
  std::string answer;
  size_t whole = 0;  // bytes of the answer with its body; 0: the header is not in yet
};

[[noreturn]] void give_up(const char* what) {
  std::fprintf(stderr, "nz-http-load: %s\n", what);
  std::exit(1);
}

// The handshake blocks; it is over before the first request is due. Afterwards nothing may wait for
// one connection while the others are due.
gnutls_session_t shake_hands(gnutls_certificate_credentials_t credentials, int fd) {
  gnutls_session_t tls = nullptr;
  gnutls_init(&tls, GNUTLS_CLIENT);
  gnutls_set_default_priority(tls);
  gnutls_credentials_set(tls, GNUTLS_CRD_CERTIFICATE, credentials);
  gnutls_transport_set_int(tls, fd);
  if (gnutls_handshake(tls) != GNUTLS_E_SUCCESS) give_up("the TLS handshake failed");
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) give_up("fcntl failed");
  return tls;
}

// A request is small, and the answer to the one before it has been read: it fits the socket.
bool transmit(const Connection& c, const std::string& request) {
  const auto size = static_cast<ssize_t>(request.size());
  return (c.tls != nullptr ? gnutls_record_send(c.tls, request.data(), request.size())
                           : send(c.fd, request.data(), request.size(), MSG_NOSIGNAL)) == size;
}

// Bytes that are there, 0: none yet. Ends the program when the server closes.
size_t receive(const Connection& c, char* to, size_t room) {
  const ssize_t n =
      c.tls != nullptr ? gnutls_record_recv(c.tls, to, room) : recv(c.fd, to, room, MSG_DONTWAIT);
  if (n > 0) return static_cast<size_t>(n);
  const bool nothing_yet = c.tls != nullptr ? n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED
                                            : n < 0 && (errno == EAGAIN || errno == EINTR);
  if (!nothing_yet) give_up("the server closed a connection");
  return 0;
}

// Reads all that is there (TLS has records of its own that poll() does not know of); true when the
// answer is complete.
bool advance(Connection& c) {
  char chunk[65536];
  for (size_t n = 0; (n = receive(c, chunk, sizeof(chunk))) != 0;) {
    c.answer.append(chunk, n);
    if (c.tls == nullptr) break;
  }
  if (c.whole == 0) {
    const size_t end = c.answer.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    const char* length = strcasestr(c.answer.c_str(), "\r\ncontent-length:");
    c.whole = end + 4 + (length == nullptr ? 0 : std::strtoul(length + 17, nullptr, 10));
  }
  return c.answer.size() >= c.whole;
}

}  // namespace

int main(int argc, char** argv) {
  gnutls_certificate_credentials_t credentials = nullptr;  // over TLS
  std::string authorization;
  if (argc > 2 && std::strcmp(argv[1], "--tls") == 0) {
    gnutls_certificate_allocate_credentials(&credentials);
    authorization = std::string("Authorization: Bearer ") + argv[2] + "\r\n";
    argc -= 2;
    argv += 2;
  }
  if (argc < 6) {
    std::fprintf(stderr,
                 "usage: nz-http-load [--tls TOKEN] PORT RATE SECONDS CONNECTIONS PATH...\n");
    return 2;
  }
  const uint64_t port = std::strtoul(argv[1], nullptr, 10);
  const double rate = std::atof(argv[2]);
  const auto total = static_cast<size_t>(rate * std::atof(argv[3]));
  std::vector<Connection> connections(static_cast<size_t>(std::atoi(argv[4])));
  std::vector<std::string> requests;
  for (int i = 5; i < argc; i++)
    requests.push_back(std::string("GET ") + argv[i] + " HTTP/1.1\r\nHost: localhost\r\n" +
                       authorization + "\r\n");
  for (Connection& c : connections) {
    c.fd = nz::workload::connect_to_loopback(port);
    if (c.fd < 0) give_up("connect failed");
    if (credentials != nullptr) c.tls = shake_hands(credentials, c.fd);
  }

  std::vector<double> late;
  std::map<std::string, size_t> statuses;
  size_t sent = 0, bytes = 0;
  size_t turn = 0;  // in turn: a connection that rests too long is closed by the server
  std::vector<pollfd> waiting(connections.size());
  const double start = now();
  while (late.size() < total) {
    for (size_t i = 0; i < connections.size(); i++) {
      Connection& c = connections[turn++ % connections.size()];
      const double due = start + static_cast<double>(sent) / rate;
      if (sent == total || due > now()) {
        turn--;
        break;
      }
      if (c.busy) continue;
      const std::string& request = requests[sent++ % requests.size()];
      c = {c.fd, c.tls, true, due, {}, 0};
      if (!transmit(c, request)) give_up("a request could not be sent");
    }
    for (size_t i = 0; i < connections.size(); i++)
      waiting[i] = {connections[i].busy ? connections[i].fd : -1, POLLIN, 0};
    const double wait =
        sent == total ? 0.1
                      : std::clamp(start + static_cast<double>(sent) / rate - now(), 0.0, 0.1);
    const timespec timeout{0, static_cast<long>(wait * 1e9)};
    ppoll(waiting.data(), waiting.size(), &timeout, nullptr);
    for (size_t i = 0; i < connections.size(); i++) {
      Connection& c = connections[i];
      if (waiting[i].fd < 0 || waiting[i].revents == 0 || !advance(c)) continue;
      late.push_back(now() - c.due);
      bytes += c.answer.size();
      statuses[c.answer.substr(9, 3)]++;
      c.busy = false;
    }
  }
  const double seconds = now() - start;
  std::sort(late.begin(), late.end());
  const auto ms = [&](double q) {
    return late[std::min(late.size() - 1,
                         static_cast<size_t>(q * static_cast<double>(late.size())))] *
           1e3;
  };
  std::printf(
      "{\"requests\": %zu, \"per_second\": %.1f, \"bytes\": %zu, \"p50_ms\": %.3f, "
      "\"p90_ms\": %.3f, \"p99_ms\": %.3f, \"p999_ms\": %.3f, \"max_ms\": %.3f, \"statuses\": {",
      late.size(), static_cast<double>(late.size()) / seconds, bytes / late.size(), ms(0.5),
      ms(0.9), ms(0.99), ms(0.999), late.back() * 1e3);
  const char* comma = "";
  for (const auto& [status, n] : statuses) {
    std::printf("%s\"%s\": %zu", comma, status.c_str(), n);
    comma = ", ";
  }
  std::printf("}}\n");
  return 0;
}
