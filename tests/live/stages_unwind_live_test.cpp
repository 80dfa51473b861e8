// Ways out of a function that pass no return: exceptions, longjmp, the end of the thread, exec.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>

#include "tests/live/stage_counts.h"

namespace nz::live {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr uint64_t kMany = 10'000;

// Return probes would end this program at the first exception ("terminate called"): they must not
// be chosen, and it must run as if nobody watched.
TEST(Unwind, TenThousandExceptionsAndLongjmpsPassProbedFunctions) {
  Workload program("nz-unwind", {"--exceptions", "10000", "--longjmps", "10000", "--returns",
                                 "10000", "--linger", "3"});
  Agent agent(kNoBreaker + "targets:\n" +
                  target_yaml("t", program.pid(),
                              {function_stage("middle", "unwind::middle"),
                               function_stage("thrower", "unwind::thrower"),
                               function_stage("jumper", "nz_longjmp_middle"),
                               function_stage("once", "nz_longjmp_once"),
                               span_stage("descent", "unwind::middle", "unwind::thrower"),
                               span_stage("jump", "nz_longjmp_middle", "nz_longjmp_once"),
                               span_stage("never", "unwind::middle", "nz_longjmp_leaf")}),
              true);
  ASSERT_TRUE(agent.has_member(program.pid()));
  for (const char* stage : {"middle", "thrower", "jumper", "once"}) {
    SCOPED_TRACE(stage);
    const std::string plan = plan_of(agent, "t", stage);
    EXPECT_THAT(plan, HasSubstr("return by exit instructions"));
    EXPECT_THAT(plan, HasSubstr("C++ unwinder"));
    EXPECT_THAT(plan, Not(HasSubstr("return by return probe")));
  }
  program.go();
  // While it lingers, whatever it has open counts as in flight.
  ASSERT_TRUE(eventually([&] { return !program.out().empty(); }, 60));
  agent.settle();
  const auto alive = agent.fetch();
  EXPECT_EQ(program.wait(), 0) << program.err();
  const auto report = program.json();
  EXPECT_EQ(report["right"], true);
  EXPECT_EQ(report["exceptions"], kMany);
  EXPECT_EQ(report["longjmps"], kMany);
  EXPECT_EQ(report["returns"], kMany);
  agent.settle();
  const auto data = agent.fetch();
  for (const char* stage : {"middle", "thrower", "jumper", "once", "descent", "jump", "never"}) {
    SCOPED_TRACE(stage);
    expect_balanced(stage_counts(alive, "t", stage));
    expect_balanced(stage_counts(data, "t", stage));
    EXPECT_EQ(stage_counts(data, "t", stage).in_flight, 0U) << "the process has ended";
  }
  for (const char* stage : {"middle", "thrower"}) {
    SCOPED_TRACE(stage);
    const StageCounts c = stage_counts(data, "t", stage);
    EXPECT_EQ(c.started, 2 * kMany);
    EXPECT_EQ(c.completed, kMany);
    EXPECT_EQ(c.unwound, kMany) << "each exception";
    EXPECT_EQ(c.abandoned(), kMany);
    EXPECT_EQ(c.unmatched, 0U);
  }
  {
    SCOPED_TRACE("jumper");
    const StageCounts c = stage_counts(data, "t", "jumper");
    EXPECT_EQ(c.started, kMany);
    EXPECT_EQ(c.completed, 0U);
    EXPECT_EQ(c.unwound, kMany);
  }
  {
    SCOPED_TRACE("once: setjmp returns twice, the function once");
    expect_exactly(stage_counts(data, "t", "once"), kMany);
  }
  {
    SCOPED_TRACE("descent");
    expect_exactly(stage_counts(data, "t", "descent"), 2 * kMany);
  }
  {
    SCOPED_TRACE("jump: ended by the next call; the last one by the end of the process");
    const StageCounts c = stage_counts(data, "t", "jump");
    EXPECT_EQ(c.started, kMany);
    EXPECT_EQ(c.completed, kMany - 1);
    EXPECT_EQ(c.thread_exited, 1U);
    EXPECT_EQ(c.unmatched, 1U) << "the first call of nz_longjmp_once";
    EXPECT_EQ(stage_counts(alive, "t", "jump").in_flight, 1U);
  }
  {
    SCOPED_TRACE("never: exceptions first, then the longjmps, then the returns");
    const StageCounts c = stage_counts(data, "t", "never");
    EXPECT_EQ(c.started, 2 * kMany);
    EXPECT_EQ(c.completed, 1U) << "the last exception's order, by the first longjmp";
    EXPECT_EQ(c.restarted, 2 * kMany - 2);
    EXPECT_EQ(c.thread_exited, 1U);
    EXPECT_EQ(c.unmatched, kMany - 1);
  }
}

// longjmp over return probes is survived by the kernel; the skipped returns are counted.
TEST(Unwind, LongjmpOverReturnProbes) {
  Workload program("nz-unwind", {"--exceptions", "0", "--longjmps", "10000", "--returns", "0"});
  Agent agent(kNoBreaker + "targets:\n" +
                  target_yaml("t", program.pid(),
                              {function_stage("jumper", "nz_longjmp_middle", true),
                               function_stage("once", "nz_longjmp_once", true)}),
              true);
  ASSERT_TRUE(agent.has_member(program.pid()));
  EXPECT_THAT(plan_of(agent, "t", "jumper"), HasSubstr("return by return probe"));
  program.go();
  ASSERT_EQ(program.wait(), 0) << program.err();
  EXPECT_EQ(program.json()["right"], true);
  EXPECT_EQ(program.json()["longjmps"], kMany);
  agent.settle();
  const auto data = agent.fetch();
  const StageCounts jumper = stage_counts(data, "t", "jumper");
  expect_balanced(jumper);
  EXPECT_EQ(jumper.started, kMany);
  EXPECT_EQ(jumper.unwound, kMany);
  expect_exactly(stage_counts(data, "t", "once"), kMany);
}

// A function that never returns has no end to probe: said, and the others go on.
TEST(Unwind, AFunctionThatNeverReturnsIsRefusedInWords) {
  Workload program("nz-unwind", {"--exceptions", "10", "--longjmps", "10", "--returns", "10"});
  Agent agent(kNoBreaker + "targets:\n" +
                  target_yaml("t", program.pid(),
                              {function_stage("leaf", "nz_longjmp_leaf"),
                               function_stage("middle", "unwind::middle")}),
              true);
  ASSERT_TRUE(agent.has_member(program.pid()));
  const auto row = health_row(agent, "t", "leaf");
  ASSERT_FALSE(row.is_null());
  EXPECT_EQ(row["attached"], false);
  EXPECT_THAT(row["detail"].get<std::string>(), HasSubstr("its exits cannot be found"));
  EXPECT_THAT(row["detail"].get<std::string>(), HasSubstr("from: and to:"));
  program.go();
  ASSERT_EQ(program.wait(), 0);
  agent.settle();
  EXPECT_EQ(stage_counts(agent.fetch(), "t", "middle").started, 20U);
}

TEST(ThreadDeath, TheDeadAreCountedAndNotInFlight) {
  constexpr uint64_t kDead = 2000, kSurvivors = 500;
  Workload program("nz-thread-death", {"--count", std::to_string(kDead), "--survivors",
                                       std::to_string(kSurvivors), "--linger", "3"});
  Agent agent(kNoBreaker + "targets:\n" +
                  target_yaml("t", program.pid(),
                              {function_stage("f", "nz_stage_then_die"),
                               span_stage("span", "nz_stage_then_die", "nz_stage_then_die")}),
              true);
  ASSERT_TRUE(agent.has_member(program.pid()));
  program.go();
  ASSERT_TRUE(eventually([&] { return !program.out().empty(); }, 60)) << program.err();
  agent.settle();
  const auto data = agent.fetch();  // the process lives, its threads are dead
  ASSERT_EQ(program.wait(), 0);
  const auto report = program.json();
  EXPECT_EQ(report["entered"], kDead + kSurvivors);
  EXPECT_EQ(report["died"], kDead);
  EXPECT_EQ(report["returned"], kSurvivors);
  const StageCounts c = stage_counts(data, "t", "f");
  expect_balanced(c);
  EXPECT_EQ(c.started, kDead + kSurvivors);
  EXPECT_EQ(c.completed, kSurvivors);
  EXPECT_EQ(c.thread_exited, kDead);
  EXPECT_EQ(c.abandoned(), kDead);
  EXPECT_EQ(c.unmatched, 0U);
  EXPECT_EQ(c.in_flight, 0U);
  // Each thread calls once, so nothing ever ends the span: all end with their thread.
  const StageCounts span = stage_counts(data, "t", "span");
  expect_balanced(span);
  EXPECT_EQ(span.started, kDead + kSurvivors);
  EXPECT_EQ(span.thread_exited, kDead + kSurvivors);
  EXPECT_EQ(span.in_flight, 0U);
}

// Exec keeps the thread and replaces the program: what was open is over.
TEST(Exec, EndsWhatTheOldProgramHadOpen) {
  if (!std::filesystem::exists("/bin/bash")) GTEST_SKIP() << "no bash";
  Program bash({"/bin/bash", "-c",
                "trap 'go=1' USR2; echo ready >&2; while [ -z \"$go\" ]; do sleep 0.05; done; exec "
                "sleep 60"});
  ASSERT_TRUE(bash.wait_for_text("ready", 10));
  Agent agent(kNoBreaker + "targets:\n" +
                  target_yaml("bash", bash.pid(), {function_stage("exec", "exec_builtin")}) +
                  "    follow_forks: false\n",
              true);
  ASSERT_TRUE(agent.has_member(bash.pid()));
  EXPECT_THAT(plan_of(agent, "bash", "exec"), HasSubstr("return by return probe"));
  bash.signal(SIGUSR2);
  StageCounts c;
  EXPECT_TRUE(eventually(
      [&] {
        agent.settle();
        c = stage_counts(agent.fetch(), "bash", "exec");
        return c.thread_exited == 1;
      },
      10));
  EXPECT_TRUE(bash.running()) << "the thread lives";
  expect_balanced(c);
  EXPECT_EQ(c.started, 1U);
  EXPECT_EQ(c.completed, 0U);
  EXPECT_EQ(c.in_flight, 0U);
}

}  // namespace
}  // namespace nz::live
