// A blocking HTTP client for tests only: raw bytes in and out, so that a test can also misbehave.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

#include "userspace/base/fd.h"

namespace nz::http::testing {

struct Reply {
  int status = 0;                              ///< 0: no answer, or none that looks like HTTP
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;
};

/// A connection to a port of 127.0.0.1, invalid if refused. Reads give up after `timeout_s`.
inline Fd dial(std::uint16_t port, int timeout_s = 10) {
  Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval timeout{timeout_s, 0};
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    fd.reset();
  }
  return fd;
}

/// Sends all of it; false if the other side has closed.
inline bool send_all(const Fd& fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

/// Everything until the other side closes or the read times out.
inline std::string read_all(const Fd& fd) {
  std::string text;
  char buffer[16384];
  ssize_t n = 0;
  while ((n = recv(fd.get(), buffer, sizeof buffer, 0)) > 0) {
    text.append(buffer, static_cast<std::size_t>(n));
  }
  return text;
}

inline Reply parse_reply(const std::string& text) {
  Reply reply;
  if (text.rfind("HTTP/1.", 0) != 0 || text.size() < 12) return reply;
  reply.status = std::atoi(text.c_str() + 9);
  const auto end = text.find("\r\n\r\n");
  if (end == std::string::npos) return reply;
  std::size_t at = text.find("\r\n") + 2;
  while (at < end) {
    const auto line_end = text.find("\r\n", at);
    const std::string line = text.substr(at, line_end - at);
    at = line_end + 2;
    const auto colon = line.find(':');
    if (colon == std::string::npos) continue;
    std::string name = line.substr(0, colon);
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    const auto value = line.find_first_not_of(' ', colon + 1);
    reply.headers[name] = value == std::string::npos ? "" : line.substr(value);
  }
  reply.body = text.substr(end + 4);
  return reply;
}

/// Sends `raw` and reads until the server closes.
inline Reply round_trip(std::uint16_t port, std::string_view raw, int timeout_s = 10) {
  const Fd fd = dial(port, timeout_s);
  if (!fd.valid()) return {};
  send_all(fd, raw);
  return parse_reply(read_all(fd));
}

/// One request with Connection: close. `headers` are whole lines, each ended by \r\n. HTTP/1.0, so
/// that the answer is never chunked.
inline Reply request(std::uint16_t port, const std::string& method, const std::string& target,
                     const std::string& headers = "") {
  return round_trip(port,
                    method + " " + target + " HTTP/1.0\r\nHost: localhost\r\n" + headers + "\r\n");
}

inline Reply get(std::uint16_t port, const std::string& target, const std::string& headers = "") {
  return request(port, "GET", target, headers);
}

}  // namespace nz::http::testing
