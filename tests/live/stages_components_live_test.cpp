// What a stage's thread did inside it: the parts are the whole.
#include <gtest/gtest.h>

#include "tests/live/stage_counts.h"

namespace nz::live {
namespace {

void expect_parts_are_the_whole(const StageCounts& c) {
  expect_balanced(c);
  EXPECT_EQ(c.torn, 0U);
  EXPECT_NEAR(c.components_ns, static_cast<double>(c.duration.sum_ns),
              static_cast<double>(c.completed));
}

TEST(Components, AStageThatSleeps) {
  constexpr int kWaits = 100;
  Workload program("nz-offcpu",
                   {"--mode", "nanosleep", "--count", std::to_string(kWaits), "--ms", "5"});
  Agent agent(
      kNoBreaker + "targets:\n" +
          target_yaml("t", program.pid(), {function_stage("nap", "nz::workload::sleep_ns")}),
      true);
  ASSERT_TRUE(agent.has_member(program.pid()));
  program.go();
  ASSERT_EQ(program.wait(), 0) << program.err();
  agent.settle();
  const auto data = agent.fetch();
  const StageCounts c = stage_counts(data, "t", "nap");
  expect_exactly(c, kWaits);
  expect_parts_are_the_whole(c);
  const auto truth = program.json()["blocked_ns"].get<double>();
  const double sleeping = component_ns(data, "t", "nap", "sleep");
  // Asleep is what was asked for; up to the wakeup by the timer. Then it may wait for a CPU.
  EXPECT_GE(sleeping, kWaits * 5e6 * 0.99);
  EXPECT_LE(sleeping, truth);
  for (const char* other : {"lock", "disk", "network", "ipc", "idle"}) {
    EXPECT_EQ(component_ns(data, "t", "nap", other), 0) << other;
  }
}

TEST(Components, AStageThatWaitsForAMutex) {
  constexpr int kWaits = 60;
  Workload program("nz-offcpu",
                   {"--mode", "mutex", "--count", std::to_string(kWaits), "--ms", "5"});
  Agent agent(
      kNoBreaker + "targets:\n" +
          target_yaml(
              "t", program.pid(),
              {"name: lock, function: pthread_mutex_lock, binary: libc.so.6, nothrow: true"}),
      true);
  ASSERT_TRUE(agent.has_member(program.pid()));
  program.go();
  ASSERT_EQ(program.wait(), 0) << program.err();
  agent.settle();
  const auto data = agent.fetch();
  const StageCounts c = stage_counts(data, "t", "lock");
  expect_parts_are_the_whole(c);
  EXPECT_EQ(c.started, c.completed);
  EXPECT_GE(c.completed, 2U * kWaits) << "the holder and the waiter";
  const auto truth = program.json()["blocked_ns"].get<double>();
  const double locked = component_ns(data, "t", "lock", "lock");
  const double runnable = component_ns(data, "t", "lock", "runnable");
  const double running = component_ns(data, "t", "lock", "running");
  EXPECT_LE(locked, truth);
  EXPECT_GE(locked + runnable + running, truth * 0.95) << "the caller's clock stands around ours";
  EXPECT_GE(locked, (truth - runnable) * 0.9);
  EXPECT_GT(locked, 0);
  EXPECT_EQ(component_ns(data, "t", "lock", "sleep"), 0);
}

// It burns its time: running, and waiting for a CPU where others want one too.
TEST(Components, AStageThatBurnsIsRunningOrRunnable) {
  Workload program("nz-functions", {"--call", "nz_spin", "--spin-ns", "1000000", "--count", "200",
                                    "--threads", "4"});
  Agent agent(kNoBreaker + "targets:\n" +
                  target_yaml("t", program.pid(), {function_stage("spin", "nz_spin", true)}),
              true);
  ASSERT_TRUE(agent.has_member(program.pid()));
  program.go();
  ASSERT_EQ(program.wait(), 0);
  agent.settle();
  const auto data = agent.fetch();
  const StageCounts c = stage_counts(data, "t", "spin");
  expect_exactly(c, 800);
  expect_parts_are_the_whole(c);
  const double both =
      component_ns(data, "t", "spin", "running") + component_ns(data, "t", "spin", "runnable");
  EXPECT_NEAR(both, static_cast<double>(c.duration.sum_ns),
              static_cast<double>(c.duration.sum_ns) * 0.01);
  EXPECT_GT(component_ns(data, "t", "spin", "runnable"), 0) << "four threads, two CPUs";
}

}  // namespace
}  // namespace nz::live
