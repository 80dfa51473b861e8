#include "userspace/agent/drain_delay.h"

#include <sys/timerfd.h>

#include <algorithm>

namespace nz::agent {
namespace {

std::chrono::nanoseconds duration_of(const timespec& t) {
  return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
}

}  // namespace

DrainDelay::Clock::time_point DrainDelay::due(int timer, std::uint64_t expirations) {
  itimerspec state{};
  timerfd_gettime(timer, &state);  // it_value: what is left until the next
  return Clock::now() + duration_of(state.it_value) -
         duration_of(state.it_interval) * static_cast<std::int64_t>(expirations);
}

void DrainDelay::record(Clock::duration delay) {
  const auto ns = std::chrono::nanoseconds(delay).count();
  delays_.record(static_cast<std::uint64_t>(std::max<std::int64_t>(ns, 0)));
}

void DrainDelay::collect(std::vector<metrics::Family>& out) const {
  out.push_back({"nearzero_drain_delay_seconds",
                 "From when a drain was due until its numbers could be read.",
                 metrics::Type::histogram,
                 {{{}, 0, std::make_shared<const analysis::Histogram>(delays_)}}});
}

}  // namespace nz::agent
