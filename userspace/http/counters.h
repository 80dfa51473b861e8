// What the server counts: from its own thread, read from any.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "userspace/http/admission.h"
#include "userspace/http/server.h"

namespace nz::http {

class Counters {
 public:
  void accepted() { connections_.fetch_add(1, std::memory_order_relaxed); }
  void open(std::size_t connections) {
    connections_open_.store(connections, std::memory_order_relaxed);
  }
  void rejected(Rejection cause, std::size_t n = 1) {
    rejected_[static_cast<std::size_t>(cause)].fetch_add(n, std::memory_order_relaxed);
  }
  /// A response is queued; its body as it is sent.
  void answered(int status, std::size_t body_bytes);
  /// In handlers and gzip.
  void worked(std::chrono::nanoseconds time) {
    answer_ns_.fetch_add(static_cast<std::uint64_t>(time.count()), std::memory_order_relaxed);
  }

  [[nodiscard]] Stats stats() const;

 private:
  std::atomic<std::uint64_t> connections_ = 0;
  std::atomic<std::uint64_t> connections_open_ = 0;
  std::array<std::atomic<std::uint64_t>, kRejections> rejected_{};
  std::atomic<std::uint64_t> requests_ = 0;
  std::atomic<std::uint64_t> client_errors_ = 0;
  std::atomic<std::uint64_t> server_errors_ = 0;
  std::atomic<std::uint64_t> body_bytes_ = 0;
  std::atomic<std::uint64_t> answer_ns_ = 0;
};

}  // namespace nz::http
