// Bytes that come over a connection, through the real server: its own thread reads them from a
// socket, so that all of the server is under test. libmicrohttpd is not instrumented.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "tests/fuzz/input.h"
#include "userspace/base/fd.h"
#include "userspace/http/server.h"

namespace {

using namespace nz;

constexpr int kPatienceMs = 3;  // half a request is never answered

std::uint16_t port() {
  static auto server = [] {
    http::Options options;
    options.listen = "127.0.0.1:0";
    options.idle_timeout = std::chrono::seconds(1);
    options.protection.requests_per_second = 1e9;  // all inputs come from one address
    options.protection.request_burst = 1e9;
    return http::Server::start(
        options, {{"GET", "/metrics",
                   [](const http::Request& r) {
                     http::Response response;
                     response.body = r.path + std::string(r.query("window").value_or("none")) +
                                     r.header("accept") + std::string(2'000, 'x');
                     return response;
                   }},
                  {"POST", "/performance/reports",
                   [](const http::Request& r) { return http::problem(422, r.method, r.path); }}});
  }();
  fuzz::require(server.has_value(), "the server starts");
  return server->port();
}

Fd dial() {
  static const std::uint16_t number = port();
  Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(number);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  // Reset instead of TIME_WAIT, or the ports are used up after 28,000 inputs.
  const linger reset{1, 0};
  setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    fd.reset();
  }
  return fd;
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Fd fd = dial();
  fuzz::require(fd.valid(), "the server accepts a connection");
  if (send(fd.get(), data, size, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) return 0;
  pollfd waiting{fd.get(), POLLIN, 0};
  char answer[16] = {};
  if (poll(&waiting, 1, kPatienceMs) == 1) {
    const ssize_t n = recv(fd.get(), answer, sizeof answer - 1, MSG_DONTWAIT);
    // "HTTP/1.1 200": never a 5xx, and "100 Continue" at most on the way to it.
    if (n > 12)
      fuzz::require(answer[9] != '5' || answer[10] != '0' || answer[11] == '5',
                    "no input makes the server fail");
  }
  return 0;
}
