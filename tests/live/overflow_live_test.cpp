// Every table and the ring full under stress: what is recorded and what is counted as dropped add
// up to what was generated, exactly.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <array>
#include <atomic>
#include <csignal>
#include <thread>

#include "tests/live/harness/agent.h"
#include "tests/live/harness/kernel_side.h"
#include "tests/live/stage_counts.h"
#include "userspace/loader/events.h"

namespace nz::live {
namespace {

constexpr uint32_t kSlot = 1;

// Forks `count` children that end at once.
void fork_storm(int count) {
  for (int done = 0; done < count;) {
    std::vector<pid_t> batch;
    for (; done < count && batch.size() < 20; done++) {
      const pid_t pid = fork();
      if (pid == 0) _exit(0);
      ASSERT_GT(pid, 0);
      batch.push_back(pid);
    }
    for (const pid_t pid : batch) waitpid(pid, nullptr, 0);
  }
}

TEST(Overflow, RingFullRecordedAndDroppedEqualGenerated) {
  constexpr int kForks = 3500;  // 7,000 events of 48 bytes; the ring holds 5,461
  KernelSide kernel;
  uint64_t forks = 0;
  uint64_t exits = 0;
  uint64_t others = 0;
  auto events =
      loader::Events::open(*kernel.object, [&](const nz_event& e, std::span<const std::byte>) {
        const bool mine = e.slot == kSlot;
        forks += mine && e.kind == NZ_EVENT_FORK ? 1 : 0;
        exits += mine && e.kind == NZ_EVENT_EXIT ? 1 : 0;
        others += mine ? 0 : 1;
      });
  ASSERT_TRUE(events.has_value());
  ASSERT_TRUE(kernel.object->set_target(static_cast<uint32_t>(getpid()), kSlot).has_value());
  kernel.object->control().follow_forks[kSlot] = 1;
  // Without nz_exec, which tells of every process on the host: then all events are this test's.
  kernel.attach({"nz_fork", "nz_exit"});
  fork_storm(kForks);
  usleep(50'000);
  EXPECT_GT(kernel.dropped(NZ_DROP_RING_FULL), 1000U);
  (*events)->consume();
  EXPECT_EQ(forks + exits + kernel.dropped(NZ_DROP_RING_FULL), 2U * kForks);
  EXPECT_EQ(others, 0U);
  EXPECT_GE(kernel.drain->counters().lifecycle, 2U * kForks);
  std::cout << forks << " forks and " << exits << " exits told, "
            << kernel.dropped(NZ_DROP_RING_FULL) << " dropped, generated " << 2 * kForks << "\n";
  // Room again: nothing is lost any more.
  const uint64_t dropped = kernel.dropped(NZ_DROP_RING_FULL);
  forks = exits = 0;
  fork_storm(100);
  usleep(50'000);
  (*events)->consume();
  EXPECT_EQ(forks, 100U);
  EXPECT_EQ(exits, 100U);
  EXPECT_EQ(kernel.dropped(NZ_DROP_RING_FULL), dropped);
}

TEST(Overflow, TargetTableFullChildrenAreCountedAndNotTold) {
  KernelSide kernel;
  uint64_t told = 0;
  auto events =
      loader::Events::open(*kernel.object, [&](const nz_event& e, std::span<const std::byte>) {
        told += e.kind == NZ_EVENT_FORK ? 1 : 0;
      });
  ASSERT_TRUE(events.has_value());
  kernel.object->control().follow_forks[kSlot] = 1;
  ASSERT_TRUE(kernel.object->set_target(static_cast<uint32_t>(getpid()), kSlot).has_value());
  // Pids above pid_max cannot exist: they fill the table and disturb nobody. 10 places are left.
  for (uint32_t i = 0; i < 4096 - 11; i++) {
    ASSERT_TRUE(kernel.object->set_target((1U << 23U) + i, 2).has_value()) << i;
  }
  kernel.attach({"nz_fork"});  // without nz_exit the places of dead children stay taken
  fork_storm(30);
  (*events)->consume();
  EXPECT_EQ(told, 10U);
  EXPECT_EQ(kernel.dropped(NZ_DROP_TARGETS_FULL), 20U);
  EXPECT_EQ(told + kernel.dropped(NZ_DROP_TARGETS_FULL), 30U);
  const auto refused = kernel.object->set_target((1U << 23U) + 5000, 2);
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().text().find("4,096"), std::string::npos) << refused.error().text();
  EXPECT_EQ(kernel.dropped(NZ_DROP_TARGETS_FULL), 21U);
  EXPECT_EQ(kernel.object->targets().size(), 4096U);
}

TEST(Overflow, ThreadTableCollisionsLoseNoSliceAndEveryArrivalIsAccountedFor) {
  auto options = KernelSide::options();
  options.layout.task_entries = 64;
  KernelSide kernel(options);
  ASSERT_TRUE(kernel.object->set_target(static_cast<uint32_t>(getpid()), kSlot).has_value());
  std::atomic<long> switches{0};
  std::atomic<bool> go{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 200; i++) {
    threads.emplace_back([&] {
      while (!go) usleep(1000);
      rusage before{};
      rusage after{};
      getrusage(RUSAGE_THREAD, &before);
      for (int n = 0; n < 50; n++) usleep(500);
      getrusage(RUSAGE_THREAD, &after);
      switches += after.ru_nvcsw - before.ru_nvcsw + after.ru_nivcsw - before.ru_nivcsw;
    });
  }
  kernel.attach({"nz_fork", "nz_exit", "nz_sched_switch"});
  go = true;
  for (std::thread& t : threads) t.join();
  kernel.detach();
  const auto slices = kernel.sched(kSlot, NZ_ONCPU).count();
  std::cout << "switches " << switches << ", slices " << slices << ", collisions "
            << kernel.dropped(NZ_DROP_TASK_COLLISION) << ", without beginning "
            << kernel.dropped(NZ_DROP_OFF_BEFORE_ATTACH) << "\n";
  EXPECT_GT(kernel.dropped(NZ_DROP_TASK_COLLISION), 1000U);
  // No slice is lost to a collision: only what the threads did before and after the counted loop
  // comes on top (the wait for the start, exit, joins).
  EXPECT_GE(slices, static_cast<uint64_t>(switches));
  // The whole host: each arrival is a recorded wait or a counted drop.
  uint64_t all_slices = 0;
  uint64_t all_arrivals = kernel.dropped(NZ_DROP_OFF_BEFORE_ATTACH);
  for (const uint32_t slot : {0U, kSlot}) {
    all_slices += kernel.sched(slot, NZ_ONCPU).count();
    all_arrivals +=
        kernel.sched(slot, NZ_RUNQ_WAKEUP).count() + kernel.sched(slot, NZ_RUNQ_PREEMPT).count();
  }
  EXPECT_NEAR(
      static_cast<double>(all_arrivals), static_cast<double>(all_slices),
      2.0 * loader::possible_cpus() + static_cast<double>(kernel.dropped(NZ_DROP_MISSED_SWITCH)))
      << "at most those that were on a CPU at the end and those whose arrival was rebuilt";
  EXPECT_LT(all_arrivals,
            all_slices + kernel.dropped(NZ_DROP_MISSED_SWITCH) + 2U * loader::possible_cpus());
}

// The real agent, frozen while 3,500 children come and go and 40 stay: it counts what it lost, and
// the next scan finds those that live.
TEST(Overflow, AFrozenAgentCountsWhatItLostAndRecovers) {
  std::array<int, 2> to{};
  std::array<int, 2> from{};
  ASSERT_EQ(pipe(to.data()), 0);
  ASSERT_EQ(pipe(from.data()), 0);
  const pid_t leader = fork();
  if (leader == 0) {
    setpgid(0, 0);
    pthread_setname_np(pthread_self(), "nzfrozen");
    char byte = 0;
    if (write(from[1], &byte, 1) != 1 || read(to[0], &byte, 1) != 1) _exit(1);
    fork_storm(3500);
    for (int i = 0; i < 40; i++) {
      if (fork() == 0) {
        // Another name: it does not match by itself, only as a child.
        pthread_setname_np(pthread_self(), "stranger");
        for (;;) pause();
      }
    }
    if (write(from[1], &byte, 1) != 1) _exit(1);
    for (;;) pause();
  }
  char byte = 0;
  ASSERT_EQ(read(from[0], &byte, 1), 1);
  Agent agent("targets: [{name: t, match: {comm: nzfrozen}}]\n");
  ASSERT_TRUE(agent.has_member(leader));
  const auto processes = [&] {
    agent.settle();
    return value_of(agent.fetch(), "nearzero_target_processes", {{"target", "t"}});
  };
  EXPECT_EQ(processes(), 1);
  agent.program().signal(SIGSTOP);
  ASSERT_EQ(write(to[1], &byte, 1), 1);
  ASSERT_EQ(read(from[0], &byte, 1), 1);
  agent.program().signal(SIGCONT);
  for (int i = 0; i < 30 && processes() != 41; i++) sleep_seconds(0.5);
  EXPECT_EQ(processes(), 41);
  EXPECT_GT(value_of(agent.fetch(), "nearzero_drops_total", {{"cause", "ring_full"}}), 1000);
  kill(-leader, SIGKILL);
  waitpid(leader, nullptr, 0);
  for (int i = 0; i < 20 && processes() != 0; i++) sleep_seconds(0.5);
  EXPECT_EQ(processes(), 0);
  EXPECT_EQ(agent.stop(), 0);
  for (const int fd : {to[0], to[1], from[0], from[1]}) close(fd);
}

// 1,500 threads stand in a probed function at once, some 500 more than the table of probed threads
// holds. A thread without room is counted at each of its hits; one that finds room only at a return
// has an end without a start.
TEST(Overflow, MoreProbedThreadsThanTheTableHolds) {
  constexpr uint64_t kThreads = 1500;
  constexpr uint64_t kCalls = 3;
  Workload program("nz-functions", {"--call", "nz_spin", "--spin-ns", "1500000", "--count",
                                    std::to_string(kCalls), "--threads", std::to_string(kThreads)});
  Agent agent(kNoBreaker + "targets:\n" +
                  target_yaml("t", program.pid(), {function_stage("call", "nz_spin", true)}),
              true);
  ASSERT_TRUE(agent.has_member(program.pid()));
  program.go();
  ASSERT_EQ(program.wait(), 0) << program.err();
  EXPECT_EQ(program.json()["wrong"], 0);
  agent.settle();
  const auto data = agent.fetch();
  const StageCounts c = stage_counts(data, "t", "call");
  const auto dropped =
      static_cast<uint64_t>(value_of(data, "nearzero_drops_total", {{"cause", "threads_full"}}));
  EXPECT_GT(dropped, 100U);
  EXPECT_EQ(c.started + c.completed + c.unmatched + dropped, 2 * kThreads * kCalls);
  EXPECT_EQ(c.started, c.completed + c.abandoned());
  EXPECT_EQ(c.in_flight, 0U);
  std::cout << c.completed << " of " << kThreads * kCalls << " calls timed, " << dropped
            << " hits dropped\n";
  EXPECT_EQ(agent.stop(), 0);
}

}  // namespace
}  // namespace nz::live
