// Stages on functions whose beginnings, depth and duration are known: every call is counted, once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <map>
#include <memory>
#include <thread>

#include "nearzero/abi.h"
#include "tests/live/harness/machine.h"
#include "tests/live/stage_counts.h"

namespace nz::live {
namespace {

using ::testing::HasSubstr;

constexpr const char* kEntries[] = {"push",     "endbr", "sub_call", "sub_push",
                                    "mov_push", "plain", "nop5",     "loop"};

struct EntryCase {
  bool nothrow;
  int threads;
};

class Entries : public ::testing::TestWithParam<EntryCase> {};

// Eight processes, one agent: each calls one function and is a target with that function as a
// stage.
TEST_P(Entries, CountsAreExactAndResultsAreRight) {
  const auto [nothrow, threads] = GetParam();
  constexpr uint64_t kCalls = 1000;
  std::map<std::string, std::unique_ptr<Workload>> programs;
  std::string yaml = kNoBreaker + "targets:\n";
  for (const std::string entry : kEntries) {
    programs[entry] = std::make_unique<Workload>(
        "nz-functions",
        std::vector<std::string>{"--call", "nz_entry_" + entry, "--count", std::to_string(kCalls),
                                 "--threads", std::to_string(threads)});
    yaml += target_yaml(entry, programs[entry]->pid(),
                        {function_stage("call", "nz_entry_" + entry, nothrow)});
  }
  Agent agent(yaml, true);
  for (const auto& [entry, program] : programs) {
    EXPECT_TRUE(agent.has_member(program->pid())) << entry;
    EXPECT_THAT(plan_of(agent, entry, "call"),
                HasSubstr(nothrow ? "return by return probe" : "return by exit instructions"))
        << entry;
    program->go();
  }
  for (const auto& [entry, program] : programs) {
    ASSERT_EQ(program->wait(), 0) << entry << program->err();
    EXPECT_EQ(program->json()["wrong"], 0) << entry;
  }
  agent.settle();
  const auto data = agent.fetch();
  for (const auto& [entry, program] : programs) {
    SCOPED_TRACE(entry);
    const uint64_t calls = kCalls * static_cast<uint64_t>(threads);
    EXPECT_EQ(program->json()["calls"], calls);
    const StageCounts c = stage_counts(data, entry, "call");
    expect_exactly(c, calls);
    EXPECT_GT(c.duration.sum_ns, 0U);
  }
}

INSTANTIATE_TEST_SUITE_P(All, Entries,
                         ::testing::Values(EntryCase{true, 1}, EntryCase{true, 8},
                                           EntryCase{false, 1}, EntryCase{false, 8}),
                         [](const auto& info) {
                           return std::string(info.param.nothrow ? "ReturnProbe"
                                                                 : "ExitInstructions") +
                                  std::to_string(info.param.threads) + "Threads";
                         });

// nz_outer calls nz_inner and then ends in a tail call of it: two frames at one stack pointer.
class Nested : public ::testing::TestWithParam<EntryCase> {};

TEST_P(Nested, OuterInnerAndTheSpansBetweenThem) {
  const auto [nothrow, threads] = GetParam();
  Workload program("nz-functions",
                   {"--call", "nz_outer", "--count", "2000", "--threads", std::to_string(threads)});
  Agent agent(kNoBreaker + "targets:\n" +
                  target_yaml("t", program.pid(),
                              {function_stage("outer", "nz_outer", nothrow),
                               function_stage("inner", "nz_inner", nothrow),
                               span_stage("out_in", "nz_outer", "nz_inner"),
                               span_stage("in_out", "nz_inner", "nz_outer"),
                               span_stage("in_in", "nz_inner", "nz_inner")}),
              true);
  ASSERT_TRUE(agent.has_member(program.pid()));
  program.go();
  ASSERT_EQ(program.wait(), 0);
  const uint64_t calls = program.json()["calls"];
  const auto n = static_cast<uint64_t>(threads);
  ASSERT_EQ(calls, 2000 * n);
  ASSERT_EQ(program.json()["inner_calls"], 2 * calls);
  EXPECT_EQ(program.json()["wrong"], 0);
  agent.settle();
  const auto data = agent.fetch();
  {
    SCOPED_TRACE("outer");
    expect_exactly(stage_counts(data, "t", "outer"), calls);
  }
  {
    SCOPED_TRACE("inner");
    expect_exactly(stage_counts(data, "t", "inner"), 2 * calls);
  }
  {
    SCOPED_TRACE("out_in: the second nz_inner of each call ends nothing");
    const StageCounts c = stage_counts(data, "t", "out_in");
    expect_balanced(c);
    EXPECT_EQ(c.started, calls);
    EXPECT_EQ(c.completed, calls);
    EXPECT_EQ(c.unmatched, calls);
    EXPECT_EQ(c.abandoned(), 0U);
  }
  {
    SCOPED_TRACE("in_out: ended by the next call; the last of each thread by the thread's end");
    const StageCounts c = stage_counts(data, "t", "in_out");
    expect_balanced(c);
    EXPECT_EQ(c.started, 2 * calls);
    EXPECT_EQ(c.completed, calls - n);
    EXPECT_EQ(c.restarted, calls);
    EXPECT_EQ(c.thread_exited, n);
    EXPECT_EQ(c.unmatched, n) << "each thread's first call of nz_outer";
    EXPECT_EQ(c.in_flight, 0U);
  }
  {
    SCOPED_TRACE("in_in: from a function to itself, the time between two entries");
    const StageCounts c = stage_counts(data, "t", "in_in");
    expect_balanced(c);
    EXPECT_EQ(c.started, 2 * calls);
    EXPECT_EQ(c.completed, 2 * calls - n);
    EXPECT_EQ(c.thread_exited, n);
    EXPECT_EQ(c.unmatched, n);
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, Nested, ::testing::Values(EntryCase{true, 1}, EntryCase{true, 8}, EntryCase{false, 1}),
    [](const auto& info) {
      return std::string(info.param.nothrow ? "ReturnProbe" : "ExitInstructions") +
             std::to_string(info.param.threads) + "Threads";
    });

// depth -> activations per call; up to NZ_FN_DEPTH of them are timed, the rest is told as too_deep.
// 100 is also beyond the kernel's own limit of 64 nested return probes.
TEST(Recursion, WhatIsTimedAndWhatIsTooDeepAddUp) {
  constexpr uint64_t kCalls = 200;
  for (const bool nothrow : {true, false}) {
    std::map<int, std::unique_ptr<Workload>> programs;
    std::string yaml = kNoBreaker + "targets:\n";
    for (const int depth : {0, 5, 7, 8, 30, 100}) {
      programs[depth] = std::make_unique<Workload>(
          "nz-functions",
          std::vector<std::string>{"--call", "nz_recursive", "--depth", std::to_string(depth),
                                   "--count", std::to_string(kCalls)});
      yaml += target_yaml("d" + std::to_string(depth), programs[depth]->pid(),
                          {function_stage("f", "nz_recursive", nothrow)});
    }
    Agent agent(yaml, true);
    for (const auto& [depth, program] : programs) {
      ASSERT_TRUE(agent.has_member(program->pid()));
      program->go();
    }
    for (const auto& [depth, program] : programs) {
      ASSERT_EQ(program->wait(), 0) << depth;
      EXPECT_EQ(program->json()["wrong"], 0) << depth;
    }
    agent.settle();
    const auto data = agent.fetch();
    for (const auto& [depth, program] : programs) {
      SCOPED_TRACE("depth " + std::to_string(depth) +
                   (nothrow ? " by return probe" : " by exit instructions"));
      const StageCounts c = stage_counts(data, "d" + std::to_string(depth), "f");
      const auto activations = static_cast<uint64_t>(depth) + 1;
      const uint64_t timed = std::min<uint64_t>(activations, NZ_FN_DEPTH);
      expect_balanced(c);
      EXPECT_EQ(c.started, kCalls * activations);
      EXPECT_EQ(c.started, program->json()["activations"]);
      EXPECT_EQ(c.completed, kCalls * timed);
      EXPECT_EQ(c.too_deep, kCalls * (activations - timed));
      EXPECT_EQ(c.abandoned(), c.too_deep);
      EXPECT_EQ(c.unmatched, 0U) << "the returns of what was too deep are no strangers";
      EXPECT_EQ(c.in_flight, 0U);
    }
  }
}

// The service's own clock stands around the call, ours inside. Other work on the host that
// interrupts between the two clocks is neither's fault: up to three runs.
TEST(Durations, AgreeWithTheCallersClock) {
  for (const uint64_t spin_ns : {5'000, 50'000, 500'000}) {
    const uint64_t calls = spin_ns > 100'000 ? 400 : 2000;
    std::string last;
    bool good = false;
    for (int attempt = 0; attempt < 3 && !good; attempt++) {
      Workload program("nz-functions", {"--call", "nz_spin", "--spin-ns", std::to_string(spin_ns),
                                        "--count", std::to_string(calls), "--truth"});
      Agent agent(kNoBreaker + "targets:\n" +
                      target_yaml("t", program.pid(), {function_stage("spin", "nz_spin", true)}),
                  true);
      ASSERT_TRUE(agent.has_member(program.pid()));
      program.go();
      ASSERT_EQ(program.wait(), 0);
      agent.settle();
      const StageCounts c = stage_counts(agent.fetch(), "t", "spin");
      expect_exactly(c, calls);
      const auto truth = program.json()["sum_ns"].get<double>();
      const auto spin = static_cast<double>(spin_ns);
      const double difference = truth - static_cast<double>(c.duration.sum_ns);
      EXPECT_GE(difference, 0) << "the caller's clock includes ours";
      EXPECT_GE(static_cast<double>(c.duration.sum_ns), spin * static_cast<double>(calls));
      // nz_spin ends at its deadline, and the host interrupts some calls: p10 and p50 are the spin.
      const double p10 = c.duration.quantile(0.1) * 1e9, p50 = c.duration.quantile(0.5) * 1e9;
      const double probe_ns = 2000 * trap_factor();
      good = difference <= (probe_ns + 0.005 * spin) * static_cast<double>(calls) &&
             p10 >= spin * 0.95 && p50 >= spin * 0.95 && p10 <= spin * 1.05 + probe_ns &&
             p50 <= spin * 1.05 + probe_ns;
      last = "off by " + std::to_string(difference / static_cast<double>(calls)) +
             " ns a call, p10 " + std::to_string(p10) + ", p50 " + std::to_string(p50);
    }
    EXPECT_TRUE(good) << spin_ns << " ns: " << last;
  }
}

// Five ways to write one function; all five stages share its addresses.
TEST(Names, MangledDemangledAndGlobAreTheSameFunction) {
  Workload program("nz-unwind", {"--exceptions", "0", "--longjmps", "0", "--returns", "3000"});
  const std::map<std::string, std::string> names{
      {"mangled", "_ZN6unwind6middleEmbRm"},
      {"demangled", "unwind::middle"},
      {"parameters", "unwind::middle(unsigned long, bool, unsigned long&)"},
      {"glob", "unwind::midd*"},
      {"mangled_glob", "_ZN6unwind6middleE*"}};
  std::vector<std::string> stages;
  for (const auto& [stage, name] : names) stages.push_back(function_stage(stage, name));
  Agent agent(kNoBreaker + "targets:\n" + target_yaml("t", program.pid(), stages), true);
  ASSERT_TRUE(agent.has_member(program.pid()));
  program.go();
  ASSERT_EQ(program.wait(), 0);
  agent.settle();
  const auto data = agent.fetch();
  uint64_t sum = 0;
  for (const auto& [stage, name] : names) {
    SCOPED_TRACE(stage);
    const StageCounts c = stage_counts(data, "t", stage);
    expect_exactly(c, 3000);
    if (sum == 0) sum = c.duration.sum_ns;
    EXPECT_EQ(c.duration.sum_ns, sum) << "one reading of the clock for all";
  }
}

// A C program that nobody here wrote gets a return probe unasked: bash, through its dynamic
// symbols.
TEST(Names, ACProgramGetsAReturnProbe) {
  if (!std::filesystem::exists("/bin/bash")) GTEST_SKIP() << "no bash";
  Program bash({"/bin/bash", "-c",
                "trap 'go=1' USR2; echo ready >&2; while [ -z \"$go\" ]; do sleep 0.05; done; "
                "for ((i = 0; i < 1000; i++)); do echo $i; done"});
  ASSERT_TRUE(bash.wait_for_text("ready", 10));
  Agent agent(kNoBreaker + "targets:\n" +
                  target_yaml("bash", bash.pid(), {function_stage("echo", "echo_builtin")}) +
                  "    follow_forks: false\n",
              true);
  ASSERT_TRUE(agent.has_member(bash.pid()));
  EXPECT_THAT(plan_of(agent, "bash", "echo"), HasSubstr("return by return probe"));
  bash.signal(SIGUSR2);
  ASSERT_EQ(bash.wait(), 0);
  std::string expected;
  for (int i = 0; i < 1000; i++) expected += std::to_string(i) + "\n";
  EXPECT_EQ(bash.out(), expected);
  agent.settle();
  expect_exactly(stage_counts(agent.fetch(), "bash", "echo"), 1000);
}

// Eight threads that are pushed from CPU to CPU while they are inside the stage.
TEST(Migration, CountsAndPartsAreExactWhileThreadsMove) {
  constexpr int kThreads = 8;
  constexpr uint64_t kCalls = 2000;
  Workload program("nz-functions", {"--call", "nz_spin", "--spin-ns", "20000", "--count",
                                    std::to_string(kCalls), "--threads", std::to_string(kThreads)});
  Agent agent(kNoBreaker + "targets:\n" +
                  target_yaml("t", program.pid(),
                              {function_stage("spin", "nz_spin", true),
                               function_stage("exits", "nz_spin")}),
              true);
  ASSERT_TRUE(agent.has_member(program.pid()));
  program.go();
  std::atomic<uint64_t> moves{0};
  std::atomic<bool> done{false};
  std::jthread mover([&] {
    const int cpus = static_cast<int>(std::thread::hardware_concurrency());
    for (int round = 0; !done; round++) {
      std::error_code gone;
      int index = 0;
      for (const auto& task : std::filesystem::directory_iterator(
               "/proc/" + std::to_string(program.pid()) + "/task", gone)) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET((round + index++) % cpus, &set);
        if (sched_setaffinity(std::stoi(task.path().filename()), sizeof(set), &set) == 0) moves++;
      }
      sleep_seconds(0.001);
    }
  });
  const int code = program.wait(60);
  done = true;
  mover.join();
  ASSERT_EQ(code, 0);
  EXPECT_GT(moves, 100U);
  agent.settle();
  const auto data = agent.fetch();
  for (const char* stage : {"spin", "exits"}) {
    SCOPED_TRACE(stage);
    const StageCounts c = stage_counts(data, "t", stage);
    expect_exactly(c, kCalls * kThreads);
    // All parts of all calls but the torn ones, to the nanosecond.
    EXPECT_LE(c.torn, kCalls * kThreads / 1000);
    if (c.torn == 0) {
      EXPECT_NEAR(c.components_ns, static_cast<double>(c.duration.sum_ns),
                  static_cast<double>(c.completed));
    }
    EXPECT_LE(c.components_ns,
              static_cast<double>(c.duration.sum_ns) + static_cast<double>(c.completed));
  }
}

}  // namespace
}  // namespace nz::live
