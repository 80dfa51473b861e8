// Stages that cannot be attached: said in words, in /healthz and in a metric, while the rest goes
// on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "tests/live/stage_counts.h"

namespace nz::live {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

double attached_metric(const Agent& agent, const std::string& target, const std::string& stage) {
  agent.settle();
  const auto data = agent.fetch();
  for (const auto& [key, value] : data.values) {
    if (key.family == "nearzero_probe_attached" && key.labels.at("target") == target &&
        key.labels.at("probe") == "stages:" + stage) {
      return value;
    }
  }
  return -1;
}

void expect_degraded(const Agent& agent, const std::string& target, const std::string& stage,
                     const ::testing::Matcher<std::string>& text) {
  SCOPED_TRACE(target + " " + stage);
  const auto row = health_row(agent, target, stage);
  ASSERT_FALSE(row.is_null());
  EXPECT_EQ(row["attached"], false);
  EXPECT_THAT(row["detail"].get<std::string>(), text);
  EXPECT_EQ(attached_metric(agent, target, stage), 0);
}

std::string workload_path(const std::string& name) {
  return std::string(NZ_WORKLOADS) + "/" + name;
}

TEST(Symbols, OneBadStageDegradesAndTheOthersCount) {
  Workload program("nz-functions", {"--call", "nz_outer", "--count", "1000"});
  Agent agent(
      kNoBreaker + "targets:\n" +
          target_yaml("t", program.pid(),
                      {function_stage("good", "nz_outer", true), function_stage("typo", "nz_outre"),
                       span_stage("half", "nz_outer", "nz_inner_no_more"),
                       function_stage("everything", "*"),
                       "name: library, function: f, binary: libnothere.so"}),
      true);
  ASSERT_TRUE(agent.has_member(program.pid()));
  const std::string path = workload_path("nz-functions");
  expect_degraded(agent, "t", "typo",
                  AllOf(HasSubstr(path + ": no function 'nz_outre'"), HasSubstr("nz_outer")));
  expect_degraded(agent, "t", "half",
                  AllOf(HasSubstr("no function 'nz_inner_no_more'"), HasSubstr("nz_inner")));
  expect_degraded(
      agent, "t", "everything",
      AllOf(HasSubstr("'*' matches "), HasSubstr(" functions of " + path + ", more than 64"),
            HasSubstr("narrow the pattern")));
  expect_degraded(agent, "t", "library",
                  AllOf(HasSubstr("has not mapped 'libnothere.so'"),
                        HasSubstr("/proc/" + std::to_string(program.pid()) + "/maps")));
  EXPECT_EQ(health_row(agent, "t", "good")["attached"], true);
  EXPECT_EQ(attached_metric(agent, "t", "good"), 1);
  int status = 0;
  const auto health = nlohmann::json::parse(agent.get("/healthz", &status));
  EXPECT_EQ(status, 503);
  EXPECT_EQ(health["status"], "degraded");
  EXPECT_THAT(agent.get("/metrics"),
              HasSubstr("nearzero_probe_attached{probe=\"stages:typo\",target=\"t\"} 0"));
  program.go();
  ASSERT_EQ(program.wait(), 0);
  agent.settle();
  expect_exactly(stage_counts(agent.fetch(), "t", "good"), 1000);
  EXPECT_TRUE(agent.program().running());
  EXPECT_EQ(agent.stop(), 0);
}

// Debian's own programs are stripped: there is nothing to find, and the reason says so.
// Sites are numbered by file and address: the same file under two paths must not be two plans.
TEST(Symbols, TheExecutableByItsNameAndWithoutOneCountAlike) {
  Workload program("nz-functions", {"--call", "nz_outer", "--count", "1000"});
  Agent agent(
      kNoBreaker + "targets:\n" +
          target_yaml("t", program.pid(),
                      {function_stage("plain", "nz_outer", true),
                       function_stage("named", "nz_outer", true) +
                           ", binary: " + workload_path("nz-functions"),
                       function_stage("short", "nz_outer", true) + ", binary: nz-functions"}),
      true);
  ASSERT_TRUE(agent.has_member(program.pid()));
  program.go();
  EXPECT_EQ(program.wait(30), 0);
  agent.settle();
  const auto data = agent.fetch();
  for (const char* stage : {"plain", "named", "short"}) {
    SCOPED_TRACE(stage);
    expect_exactly(stage_counts(data, "t", stage), 1000);
  }
}

TEST(Symbols, AStrippedBinaryIsNamedAsSuch) {
  Program program({"/bin/sleep", "60"});
  Agent agent(
      kNoBreaker + "targets:\n" + target_yaml("t", program.pid(), {function_stage("f", "main")}),
      true);
  ASSERT_TRUE(agent.has_member(program.pid()));
  expect_degraded(agent, "t", "f", AllOf(HasSubstr("sleep"), HasSubstr("stripped")));
  EXPECT_TRUE(agent.program().running());
}

// What a stripped program exports dynamically can still be a stage.
TEST(Symbols, AStrippedBinaryWithDynamicSymbols) {
  const std::string stripped = temporary_file("nz-stripped", "");
  std::filesystem::copy_file(workload_path("nz-functions"), stripped,
                             std::filesystem::copy_options::overwrite_existing);
  ASSERT_EQ(std::system(("strip --strip-all " + stripped).c_str()), 0);
  Program program({stripped, "--wait", "--count", "500", "--call", "nz_entry_endbr"});
  ASSERT_TRUE(program.wait_for_text("ready pid=", 20)) << program.err();
  Agent agent(kNoBreaker + "targets:\n" +
                  target_yaml("t", program.pid(), {function_stage("f", "nz_entry_endbr")}),
              true);
  ASSERT_TRUE(agent.has_member(program.pid()));
  program.signal(SIGUSR2);
  EXPECT_EQ(program.wait(), 0);
  agent.settle();
  expect_exactly(stage_counts(agent.fetch(), "t", "f"), 500);
}

// Libraries are mapped after exec (or by dlopen, much later): a stage in one attaches when it is
// there.
TEST(Symbols, AStageInALibraryOfAProcessThatStartsLater) {
  const std::string copy = temporary_file("nz-late", "");
  std::filesystem::copy_file(workload_path("nz-offcpu"), copy,
                             std::filesystem::copy_options::overwrite_existing);
  const std::string yaml = kNoBreaker + "targets:\n  - name: t\n    match: {exe: \"" + copy +
                           "\"}\n    stages:\n      - {name: lock, function: pthread_mutex_lock, "
                           "binary: libc.so, nothrow: true}\n";
  Agent agent(yaml, true);
  Program program({copy, "--wait", "--mode", "mutex", "--count", "50", "--ms", "1"});
  ASSERT_TRUE(program.wait_for_text("ready pid=", 20)) << program.err();
  ASSERT_TRUE(agent.has_member(program.pid()));
  ASSERT_TRUE(eventually(
      [&] {
        const auto row = health_row(agent, "t", "lock");
        return !row.is_null() && row["attached"] == true;
      },
      10))
      << plan_of(agent, "t", "lock");
  program.signal(SIGUSR2);
  ASSERT_EQ(program.wait(), 0) << program.err();
  agent.settle();
  const StageCounts c = stage_counts(agent.fetch(), "t", "lock");
  expect_balanced(c);
  EXPECT_GE(c.completed, 100U) << "the holder and the waiter, fifty times";
}

TEST(Symbols, ProcessesThatEndAtOnceDoNotMatter) {
  Agent agent(
      kNoBreaker +
          "targets:\n  - name: brief\n    match: {comm: \"true\"}\n    stages:\n      - {name: "
          "f, function: main}\n",
      true);
  for (int i = 0; i < 50; i++) {
    Program program({"/bin/true"});
    EXPECT_EQ(program.wait(10), 0);
  }
  // One whose pid is in the configuration and has gone before the agent comes.
  agent.settle();
  EXPECT_TRUE(agent.program().running());
  const auto health = nlohmann::json::parse(agent.control("status"));
  EXPECT_TRUE(health["processes"].empty()) << health.dump();
  EXPECT_EQ(agent.stop(), 0);

  pid_t gone = 0;
  {
    Program program({"/bin/true"});
    gone = program.pid();
    EXPECT_EQ(program.wait(10), 0);
  }
  Agent second(kNoBreaker + "targets:\n" + target_yaml("gone", gone, {function_stage("f", "main")}),
               true);
  int status = 0;
  (void)second.get("/readyz", &status);
  EXPECT_EQ(status, 200);
  EXPECT_EQ(second.stop(), 0);
}

// Nine stages begin at one function: the ninth finds no room, and the reason is readable.
TEST(Symbols, MoreStagesAtOneAddressThanFit) {
  Workload program("nz-functions", {"--call", "nz_outer", "--count", "10"});
  std::vector<std::string> stages;
  for (int i = 0; i < 9; i++)
    stages.push_back(span_stage("s" + std::to_string(i), "nz_outer", "nz_inner"));
  Agent agent(kNoBreaker + "targets:\n" + target_yaml("t", program.pid(), stages), true);
  ASSERT_TRUE(agent.has_member(program.pid()));
  expect_degraded(agent, "t", "s0", HasSubstr("more than 8 stages share one address"));
  program.go();
  EXPECT_EQ(program.wait(), 0);
  EXPECT_EQ(program.json()["wrong"], 0);
}

}  // namespace
}  // namespace nz::live
