// Whether sockets are polled so much that the bytes are not worth what each call in vain costs.
#pragma once

#include <chrono>
#include <cstdint>

namespace nz::probes::tcp {

/// CPUs that are online now. Those that only may come poll no socket: virtual machines often have
/// a hundred of them.
uint32_t count_online_cpus();

class IdleLimit {
 public:
  using Clock = std::chrono::steady_clock;

  /// Socket calls a second and CPU that move nothing: 0.1 % of it at their price. A thread that
  /// polls without pause makes a hundred times as many.
  static constexpr uint32_t kPerCpu = 25'000;

  explicit IdleLimit(uint32_t (*cpus)() = count_online_cpus) : cpus_(cpus) {}

  /// `calls`: those that moved nothing, since the agent's start. True where they were more than the
  /// limit since the last time that this was asked; not the first time.
  [[nodiscard]] bool exceeded(Clock::time_point now, uint64_t calls);
  /// What was until now is not asked of any more.
  void look(Clock::time_point now, uint64_t calls);

 private:
  uint32_t (*cpus_)();
  Clock::time_point last_;
  uint64_t calls_ = 0;  // at last_
};

}  // namespace nz::probes::tcp
