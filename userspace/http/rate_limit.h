// How often one address may ask: a token bucket for each.
#pragma once

#include <sys/socket.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <unordered_map>

namespace nz::http {

/// Whom a bucket belongs to: an IPv4 address, or the /64 of an IPv6 address, which one host has
/// whole. Empty for what is neither.
std::string client_of(const sockaddr* address);

/// Token buckets in bounded memory. Not for several threads.
class RateLimit {
 public:
  using Clock = std::chrono::steady_clock;

  /// `per_second` tokens are added to each bucket, which holds `burst` (at least 1). With
  /// `per_second` 0 there is no limit.
  void set(double per_second, double burst);

  /// Takes `cost` tokens where the bucket holds at least one; it may become a debt, at most
  /// `burst`, that later requests wait for. False: nothing was left, and nothing was taken.
  bool take(const std::string& client, double cost, Clock::time_point now);

  /// Whole seconds until take() may succeed, at least 1: the value of Retry-After.
  [[nodiscard]] unsigned retry_after(const std::string& client) const;

  [[nodiscard]] double per_second() const { return per_second_; }
  [[nodiscard]] std::size_t clients() const { return buckets_.size(); }

  /// Buckets kept, 100 bytes each; clients beyond share one until some have filled up again.
  static constexpr std::size_t kMostClients = 4096;

 private:
  struct Bucket {
    double tokens = 0;
    Clock::time_point filled;
  };
  Bucket& bucket_of(const std::string& client, Clock::time_point now);
  void fill(Bucket& bucket, Clock::time_point now) const;

  double per_second_ = 0;
  double burst_ = 1;
  std::unordered_map<std::string, Bucket> buckets_;
  Bucket shared_;
  Clock::time_point next_clean_{};
};

}  // namespace nz::http
