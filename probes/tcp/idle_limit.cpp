#include "probes/tcp/idle_limit.h"

#include <unistd.h>

#include <algorithm>

namespace nz::probes::tcp {

uint32_t count_online_cpus() {
  return static_cast<uint32_t>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)));
}

bool IdleLimit::exceeded(Clock::time_point now, uint64_t calls) {
  const bool first = last_ == Clock::time_point{};
  const double seconds = std::chrono::duration<double>(now - last_).count();
  // The kernel side's count is not atomic, and may go back by a few.
  const uint64_t more = calls > calls_ ? calls - calls_ : 0;
  look(now, calls);
  return !first && seconds > 0 &&
         static_cast<double>(more) / seconds > static_cast<double>(kPerCpu) * cpus_();
}

void IdleLimit::look(Clock::time_point now, uint64_t calls) {
  last_ = now;
  calls_ = calls;
}

}  // namespace nz::probes::tcp
