#include "userspace/http/counters.h"

namespace nz::http {

void Counters::answered(int status, std::size_t body_bytes) {
  requests_.fetch_add(1, std::memory_order_relaxed);
  if (status >= 500) {
    server_errors_.fetch_add(1, std::memory_order_relaxed);
  } else if (status >= 400) {
    client_errors_.fetch_add(1, std::memory_order_relaxed);
  }
  body_bytes_.fetch_add(body_bytes, std::memory_order_relaxed);
}

Stats Counters::stats() const {
  Stats s;
  s.connections = connections_.load(std::memory_order_relaxed);
  s.connections_open = connections_open_.load(std::memory_order_relaxed);
  for (std::size_t i = 0; i < kRejections; i++) {
    s.rejected[i] = rejected_[i].load(std::memory_order_relaxed);
  }
  s.connections_late = s.rejected[static_cast<std::size_t>(Rejection::late)];
  s.requests = requests_.load(std::memory_order_relaxed);
  s.client_errors = client_errors_.load(std::memory_order_relaxed);
  s.server_errors = server_errors_.load(std::memory_order_relaxed);
  s.body_bytes = body_bytes_.load(std::memory_order_relaxed);
  s.answer_seconds = static_cast<double>(answer_ns_.load(std::memory_order_relaxed)) / 1e9;
  return s;
}

}  // namespace nz::http
