#include "userspace/agent/target_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace nz::agent {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::map<pid_t, targets::Process>& world() {
  static std::map<pid_t, targets::Process> processes;
  return processes;
}
std::optional<targets::Process> read_world(pid_t pid, const std::string& /*proc*/) {
  const auto found = world().find(pid);
  return found == world().end() ? std::nullopt : std::optional(found->second);
}

class TargetEventsTest : public testing::Test {
 protected:
  TargetEventsTest() {
    world().clear();
    config::Target target;
    target.name = "orders";
    target.match.comm = "gateway";
    tracker_.configure({target});
  }
  void runs(pid_t pid, std::uint64_t start_time) {
    targets::Process process;
    process.pid = pid;
    process.start_time = start_time;
    process.comm = "gateway";
    process.exe = "/opt/gateway";
    world()[pid] = process;
  }
  std::vector<std::string> step(double now) {
    std::vector<pid_t> pids;
    for (const auto& [pid, process] : world()) pids.push_back(pid);
    tracker_.scan(pids);
    std::vector<std::string> texts;
    for (const analysis::Event& e : events_.step(now, tracker_)) {
      EXPECT_EQ(e.at, now);
      EXPECT_EQ(e.target, "orders");
      texts.push_back(e.kind + ": " + e.text);
    }
    return texts;
  }

  std::string build_ = "aaaaaaaaaaaaaaaa";
  targets::Tracker tracker_{&read_world};
  TargetEvents events_{[this](const targets::Process&) { return build_; }};
};

TEST_F(TargetEventsTest, WhatRunsBeforeIsNoEventARestartIs) {
  runs(7, 1);
  EXPECT_THAT(step(1), IsEmpty());
  EXPECT_THAT(step(2), IsEmpty());
  world().clear();
  EXPECT_THAT(step(3), ElementsAre("process_end: gateway (pid 7) ended"));
  runs(9, 2);
  EXPECT_THAT(step(4), ElementsAre("process_start: gateway (pid 9) started"));
}

TEST_F(TargetEventsTest, ANewBuildIsNamed) {
  runs(7, 1);
  step(1);
  build_ = "bbbbbbbbbbbbbbbb";
  world().clear();
  runs(8, 5);
  EXPECT_THAT(
      step(2),
      ElementsAre("process_start: gateway (pid 8) started",
                  "new_build: /opt/gateway is a new build: bbbbbbbbbbbb, before aaaaaaaaaaaa",
                  "process_end: gateway (pid 7) ended"));
}

TEST_F(TargetEventsTest, ABuildThatWasDeployedWhileTheAgentWasOffIsNamed) {
  runs(7, 1);
  step(1);
  const auto saved = events_.save();
  ASSERT_TRUE(saved);
  EXPECT_FALSE(events_.save()) << "nothing has changed";
  events_ = TargetEvents([this](const targets::Process&) { return build_; });
  ASSERT_TRUE(events_.restore(*saved));
  EXPECT_THAT(step(2), IsEmpty()) << "the same";
  EXPECT_FALSE(events_.save());
  events_ = TargetEvents([this](const targets::Process&) { return build_; });
  ASSERT_TRUE(events_.restore(*saved));
  build_ = "bbbbbbbbbbbbbbbb";
  EXPECT_THAT(
      step(3),
      ElementsAre("new_build: /opt/gateway is a new build: bbbbbbbbbbbb, before aaaaaaaaaaaa"));
  EXPECT_TRUE(events_.save());
}

TEST_F(TargetEventsTest, WhatCannotBeRestoredIsNotKnown) {
  for (const char* saved : {"", "nonsense", "[1]", "{}", R"([{"of":"orders\n/opt/gateway"}])"})
    EXPECT_FALSE(events_.restore(saved)) << saved;
  runs(7, 1);
  EXPECT_THAT(step(1), IsEmpty());
}

TEST_F(TargetEventsTest, TheOldestBuildsAreForgotten) {
  for (pid_t pid = 100; pid < 1100; pid++) {
    runs(pid, 1);
    world()[pid].exe += std::to_string(pid);
  }
  step(1);
  const auto saved = events_.save();
  ASSERT_TRUE(saved);
  EXPECT_LT(saved->size(), 64U << 10U);
  runs(7, 1);
  step(2);
  build_ = "bbbbbbbbbbbbbbbb";
  runs(7, 2);
  EXPECT_THAT(step(3), Contains(HasSubstr("new_build: /opt/gateway is")));
}

TEST_F(TargetEventsTest, AReusedPidIsAnotherProcess) {
  runs(7, 1);
  step(1);
  runs(7, 2);
  EXPECT_THAT(step(2), ElementsAre("process_start: gateway (pid 7) started"));
}

TEST_F(TargetEventsTest, ThousandsAreCut) {
  step(1);
  for (pid_t pid = 100; pid < 1100; pid++) runs(pid, 1);
  EXPECT_EQ(step(2).size(), 32U);
}

TEST(BuildOf, IsReadFromTheProcess) {
  targets::Process self;
  self.pid = getpid();
  EXPECT_GE(build_of(self).size(), 16U);
  self.pid = 0;
  EXPECT_EQ(build_of(self), "");
}

}  // namespace
}  // namespace nz::agent
