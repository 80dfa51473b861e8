#include "userspace/http/admission.h"

#include <algorithm>
#include <utility>

namespace nz::http {
namespace {

constexpr double kGuessesPerSecond = 20;
constexpr double kHandshakesToRequests = 0.1;  // of the rate of requests

}  // namespace

const char* name_of(Rejection cause) {
  static constexpr std::array<const char*, kRejections> names = {
      "token", "rate", "connection_rate", "crowded", "late", "no_request", "too_large", "method"};
  return names.at(static_cast<std::size_t>(cause));
}

void Admission::set(std::optional<Tokens> tokens, double requests_per_second, double burst) {
  const std::lock_guard lock(mutex_);
  tokens_ = std::move(tokens);
  rate_.set(requests_per_second, burst);
}

std::optional<Admission::Refusal> Admission::over_limit(const std::string& client, double cost,
                                                        std::string_view path,
                                                        Clock::time_point now) {
  if (rate_.take(client, cost, now)) return std::nullopt;
  Response response = problem(429, "This address asks too often; see http.rate_limit.", path);
  response.headers.emplace_back("Retry-After", std::to_string(rate_.retry_after(client)));
  return Refusal{Rejection::rate, std::move(response)};
}

std::optional<Admission::Refusal> Admission::refuse_preflight(const std::string& client,
                                                              std::string_view path,
                                                              Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  return over_limit(client, 1, path, now);
}

std::optional<Admission::Refusal> Admission::refuse(const std::string& client,
                                                    std::string_view authorization,
                                                    std::string_view path, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  const bool known = !tokens_ || tokens_->accept(authorization);
  const double cost = known ? 1 : std::max(1.0, rate_.per_second() / kGuessesPerSecond);
  // The limit comes first: beyond it a right guess cannot be told from a wrong one.
  if (auto refusal = over_limit(client, cost, path, now)) return refusal;
  if (known) return std::nullopt;
  Response response =
      problem(401,
              authorization.empty()
                  ? "This interface needs a token: send the header 'Authorization: Bearer TOKEN'."
                  : "This token is not accepted.",
              path);
  // RFC 6750, 3.1: no error code where no token was given.
  response.headers.emplace_back("WWW-Authenticate",
                                authorization.empty()
                                    ? R"(Bearer realm="nearzero")"
                                    : R"(Bearer realm="nearzero", error="invalid_token")");
  return Refusal{Rejection::token, std::move(response)};
}

bool Admission::admit_handshake(const std::string& client, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  return rate_.take(client, 1 / kHandshakesToRequests, now);
}

}  // namespace nz::http
