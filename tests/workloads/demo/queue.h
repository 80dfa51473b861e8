// The queue between market data and workers: a mutex and a condition variable, as in most services.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>

namespace demo {

struct Tick {
  uint64_t sequence = 0;
  uint32_t symbol = 0;
  uint32_t account = 0;
  double price = 0;
  int64_t quantity = 0;
  uint64_t enqueued_ns = 0;  // 0 without a truth clock
};

class TickQueue {
 public:
  explicit TickQueue(size_t limit) : limit_(limit) {}

  // False when the queue is full: the tick is dropped.
  bool push(const Tick& tick) {
    {
      std::lock_guard lock(mutex_);
      if (ticks_.size() >= limit_) return false;
      ticks_.push_back(tick);
    }
    arrived_.notify_one();
    return true;
  }

  // Waits for a tick; empty once closed. Ticks that are left then stay: stopping must be prompt.
  std::optional<Tick> pop() {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [this] { return closed_ || !ticks_.empty(); });
    if (closed_) return std::nullopt;
    const Tick tick = ticks_.front();
    ticks_.pop_front();
    return tick;
  }

  void close() {
    {
      std::lock_guard lock(mutex_);
      closed_ = true;
    }
    arrived_.notify_all();
  }

  size_t size() {
    std::lock_guard lock(mutex_);
    return ticks_.size();
  }

 private:
  const size_t limit_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Tick> ticks_;
  bool closed_ = false;
};

}  // namespace demo
