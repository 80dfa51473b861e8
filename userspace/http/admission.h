// Who is let in, and how often: the token and the rate limit of each request.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "userspace/http/message.h"
#include "userspace/http/rate_limit.h"
#include "userspace/http/tokens.h"

namespace nz::http {

/// Why a request or a connection was turned away: the values of the label `cause` of
/// nearzero_http_rejected_total.
enum class Rejection {
  token,            ///< 401: no token, or none that is accepted
  rate,             ///< 429: over the rate limit of its address
  connection_rate,  ///< closed before its TLS handshake: the address is over its limit
  crowded,          ///< ended to make room: silent while connections were nearly used up
  late,             ///< ended at the deadline of a request
  no_request,       ///< over TLS: closed without one request; plain HTTP, a failed handshake
  too_large,        ///< 413 or 414
  method,           ///< 405
};
constexpr std::size_t kRejections = 8;
const char* name_of(Rejection cause);

/// Thread-safe: requests are admitted by the server's thread, limits changed by the agent's.
class Admission {
 public:
  using Clock = RateLimit::Clock;

  /// Replaces what is accepted: any request where `tokens` is empty.
  void set(std::optional<Tokens> tokens, double requests_per_second, double burst);

  struct Refusal {
    Rejection cause;
    Response response;  ///< 401 with WWW-Authenticate, or 429 with Retry-After
  };
  /// Nothing where the request may be answered. A wrong token costs its address as much as a
  /// twentieth of a second of requests, so that nobody guesses more than 20 a second.
  std::optional<Refusal> refuse(const std::string& client, std::string_view authorization,
                                std::string_view path, Clock::time_point now);

  /// The same for a browser's question that has no token by design (cors.h): only the limit holds.
  std::optional<Refusal> refuse_preflight(const std::string& client, std::string_view path,
                                          Clock::time_point now);

  /// Whether a new TLS connection may begin its handshake: 200 a second of one address at the
  /// default rate, because a handshake costs a hundred times a request.
  bool admit_handshake(const std::string& client, Clock::time_point now);

 private:
  /// Requires the lock.
  std::optional<Refusal> over_limit(const std::string& client, double cost, std::string_view path,
                                    Clock::time_point now);

  std::mutex mutex_;
  std::optional<Tokens> tokens_;
  RateLimit rate_;
};

}  // namespace nz::http
