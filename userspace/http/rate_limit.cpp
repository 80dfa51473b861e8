#include "userspace/http/rate_limit.h"

#include <netinet/in.h>

#include <algorithm>
#include <cmath>

namespace nz::http {

std::string client_of(const sockaddr* address) {
  if (address == nullptr) return {};
  if (address->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
    return {reinterpret_cast<const char*>(&v4->sin_addr), sizeof v4->sin_addr};
  }
  if (address->sa_family != AF_INET6) return {};
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
  const auto* bytes = reinterpret_cast<const char*>(&v6->sin6_addr);
  if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) return {bytes + 12, 4};
  return {bytes, 8};
}

void RateLimit::set(double per_second, double burst) {
  per_second_ = per_second;
  burst_ = std::max(1.0, burst);
  buckets_.clear();  // full again under the new limit
  shared_ = {burst_, Clock::now()};
}

void RateLimit::fill(Bucket& bucket, Clock::time_point now) const {
  const double seconds = std::chrono::duration<double>(now - bucket.filled).count();
  if (seconds <= 0) return;
  bucket.tokens = std::min(burst_, bucket.tokens + seconds * per_second_);
  bucket.filled = now;
}

RateLimit::Bucket& RateLimit::bucket_of(const std::string& client, Clock::time_point now) {
  if (const auto found = buckets_.find(client); found != buckets_.end()) return found->second;
  if (buckets_.size() >= kMostClients && now >= next_clean_) {
    next_clean_ = now + std::chrono::seconds(1);
    // A full bucket says no more than none at all.
    std::erase_if(buckets_, [&](const auto& entry) {
      Bucket bucket = entry.second;
      fill(bucket, now);
      return bucket.tokens >= burst_;
    });
  }
  if (buckets_.size() >= kMostClients) return shared_;
  return buckets_.emplace(client, Bucket{burst_, now}).first->second;
}

bool RateLimit::take(const std::string& client, double cost, Clock::time_point now) {
  if (per_second_ <= 0) return true;
  Bucket& bucket = bucket_of(client, now);
  fill(bucket, now);
  if (bucket.tokens < 1) return false;
  bucket.tokens = std::max(-burst_, bucket.tokens - cost);
  return true;
}

unsigned RateLimit::retry_after(const std::string& client) const {
  const auto found = buckets_.find(client);
  const double tokens = found == buckets_.end() ? shared_.tokens : found->second.tokens;
  if (per_second_ <= 0) return 1;
  return static_cast<unsigned>(std::max(1.0, std::ceil((1 - tokens) / per_second_)));
}

}  // namespace nz::http
