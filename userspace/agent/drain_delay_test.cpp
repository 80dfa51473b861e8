#include "userspace/agent/drain_delay.h"

#include <gtest/gtest.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <thread>

#include "userspace/base/fd.h"

namespace nz::agent {
namespace {

using std::chrono::milliseconds;

TEST(DrainDelay, EachDrainIsOneValue) {
  DrainDelay delays;
  delays.record(milliseconds(3));
  delays.record(milliseconds(84));
  delays.record(milliseconds(-1));  // clocks are read one after the other
  std::vector<metrics::Family> out;
  delays.collect(out);
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].name, "nearzero_drain_delay_seconds");
  const analysis::Histogram& h = *out[0].samples.at(0).histogram;
  EXPECT_EQ(h.count(), 3U);
  EXPECT_EQ(h.zero, 1U);
  EXPECT_EQ(h.sum_ns, 87'000'000U);
}

// Drains that were missed are part of the delay: it counts from the first of them.
TEST(DrainDelay, IsDueAtTheFirstExpirationThatNobodyHadRead) {
  const auto interval = milliseconds(20);
  const Fd timer(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
  const itimerspec every{{0, 20'000'000}, {0, 20'000'000}};
  const auto start = DrainDelay::Clock::now();
  ASSERT_EQ(timerfd_settime(timer.get(), 0, &every, nullptr), 0);
  std::this_thread::sleep_for(milliseconds(90));
  std::uint64_t expirations = 0;
  ASSERT_EQ(read(timer.get(), &expirations, sizeof(expirations)),
            static_cast<ssize_t>(sizeof(expirations)));
  ASSERT_GE(expirations, 4U);
  const auto due = DrainDelay::due(timer.get(), expirations);
  EXPECT_GE(due, start);
  EXPECT_LE(due + interval * (static_cast<std::int64_t>(expirations) - 1),
            DrainDelay::Clock::now());
}

}  // namespace
}  // namespace nz::agent
