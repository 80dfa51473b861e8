#include "userspace/agent/target_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace nz::agent {
namespace {

using testing::ElementsAre;
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
