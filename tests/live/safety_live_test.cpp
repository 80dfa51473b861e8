// The promise that observing harms nobody: results stay right, other processes stay untouched, and
// whatever ends the agent, the code of its targets is again that of their files.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include "tests/live/stage_counts.h"

namespace nz::live {
namespace {

using ::testing::HasSubstr;

struct TextDifference {
  size_t mappings = 0;   // executable file mappings that were compared
  size_t bytes = 0;      // compared
  size_t different = 0;  // bytes that are not those of the file
};

// Executable mappings of a process against the files that they map.
TextDifference compare_text(pid_t pid) {
  TextDifference result;
  const std::string proc = "/proc/" + std::to_string(pid);
  const int memory = open((proc + "/mem").c_str(), O_RDONLY | O_CLOEXEC);
  EXPECT_GE(memory, 0);
  std::ifstream maps(proc + "/maps");
  std::string line;
  while (std::getline(maps, line)) {
    std::istringstream fields(line);
    std::string range, permissions, offset, device, path;
    uint64_t inode = 0;
    fields >> range >> permissions >> offset >> device >> inode >> path;
    if (permissions.size() < 4 || permissions[2] != 'x' || inode == 0 || path.empty() ||
        path[0] != '/')
      continue;
    const uint64_t start = std::stoull(range, nullptr, 16);
    const uint64_t end = std::stoull(range.substr(range.find('-') + 1), nullptr, 16);
    std::vector<char> in_memory(end - start), in_file(end - start);
    const ssize_t got =
        pread(memory, in_memory.data(), in_memory.size(), static_cast<off_t>(start));
    EXPECT_EQ(got, static_cast<ssize_t>(in_memory.size())) << line;
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const ssize_t read =
        pread(file, in_file.data(), in_file.size(), std::stoll(offset, nullptr, 16));
    close(file);
    EXPECT_GT(read, 0) << path;
    result.mappings++;
    for (ssize_t i = 0; i < std::min(got, read); i++) {
      result.bytes++;
      result.different += in_memory[static_cast<size_t>(i)] != in_file[static_cast<size_t>(i)];
    }
  }
  close(memory);
  return result;
}

void expect_untouched(pid_t pid) {
  const TextDifference d = compare_text(pid);
  EXPECT_GE(d.mappings, 3U) << "the executable, libc and the dynamic linker at least";
  EXPECT_GT(d.bytes, 1'000'000U);
  EXPECT_EQ(d.different, 0U);
}

// Ids of what a process holds, from its descriptors: "prog_id", "map_id" or "link_id".
std::set<int> ids_held(pid_t pid, const std::string& kind) {
  std::set<int> ids;
  std::error_code ignored;
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fdinfo", ignored)) {
    std::ifstream info(entry.path());
    std::string key;
    int id = 0;
    while (info >> key) {
      if (key == kind + ":" && info >> id) ids.insert(id);
    }
  }
  return ids;
}

std::set<int> ids_in_kernel(const std::string& what) {
  std::set<int> ids;
  FILE* pipe = popen(("bpftool -j " + what + " show 2>/dev/null").c_str(), "r");
  std::string text;
  char chunk[4096];
  while (const size_t n = fread(chunk, 1, sizeof(chunk), pipe)) text.append(chunk, n);
  pclose(pipe);
  const auto list = nlohmann::json::parse(text, nullptr, false);
  EXPECT_FALSE(list.is_discarded()) << what << ": " << text.substr(0, 200);
  if (list.is_array()) {
    for (const auto& item : list) ids.insert(item["id"].get<int>());
  }
  return ids;
}

std::set<int> left_of(const std::set<int>& ours, const std::set<int>& all) {
  std::set<int> left;
  std::set_intersection(ours.begin(), ours.end(), all.begin(), all.end(),
                        std::inserter(left, left.end()));
  return left;
}

// A target whose probes are of every kind: emulated, single-stepped, exit instructions, return
// probe, and a 5-byte nop, which the kernel replaces by a call after some hits.
std::vector<std::string> stages_of_every_kind() {
  return {function_stage("push", "nz_entry_push", true),
          function_stage("plain", "nz_entry_plain"),
          function_stage("nop5", "nz_entry_nop5", true),
          function_stage("outer", "nz_outer"),
          span_stage("span", "nz_entry_endbr", "nz_entry_sub_call"),
          "name: library, function: clock_gettime, binary: libc.so.6, nothrow: true"};
}

// Bare, a probe on its 5-byte nop returned wrong results in 99,999 of 100,000 calls (DESIGN 3.2).
TEST(RedZone, ALeafThatKeepsItsValueBelowTheStackPointerStaysRight) {
  constexpr uint64_t kCalls = 20'000;
  for (const bool nothrow : {true, false}) {
    Workload program("nz-functions",
                     {"--call", "nz_leaf_redzone_nop5", "--count", std::to_string(kCalls)});
    Agent agent(
        kNoBreaker + "targets:\n" +
            target_yaml("t", program.pid(),
                        {function_stage("leaf", "nz_leaf_redzone_nop5", nothrow),
                         span_stage("between", "nz_leaf_redzone_nop5", "nz_leaf_redzone_nop5")}),
        true);
    ASSERT_TRUE(agent.has_member(program.pid()));
    EXPECT_THAT(plan_of(agent, "t", "leaf"), HasSubstr("entry at the first byte (mov"));
    program.go();
    ASSERT_EQ(program.wait(), 0);
    EXPECT_EQ(program.json()["wrong"], 0);
    agent.settle();
    const auto data = agent.fetch();
    expect_exactly(stage_counts(data, "t", "leaf"), kCalls);
    EXPECT_EQ(stage_counts(data, "t", "between").completed, kCalls - 1);
  }
}

TEST(Text, OtherProcessesOfTheSameBinaryAreUntouched) {
  Workload target("nz-functions", {"--call", "nz_entry_nop5", "--count", "2000", "--linger", "60"});
  Workload before("nz-functions");
  Agent agent(kNoBreaker + "targets:\n" + target_yaml("t", target.pid(), stages_of_every_kind()),
              true);
  ASSERT_TRUE(agent.has_member(target.pid()));
  Workload after("nz-functions", {"--count", "10", "--linger", "60"});
  target.go();
  after.go();
  ASSERT_TRUE(eventually([&] { return !target.out().empty() && !after.out().empty(); }, 20));
  EXPECT_GT(compare_text(target.pid()).different, 0U) << "else this test could not fail";
  expect_untouched(before.pid());
  expect_untouched(after.pid());
  agent.settle();
  expect_exactly(stage_counts(agent.fetch(), "t", "nop5"), 2000);
  EXPECT_EQ(target.json()["wrong"], 0);

  // Off takes everything out at once, on brings it back, and the end takes it out again.
  EXPECT_THAT(agent.control("off"), HasSubstr("everything detached"));
  expect_untouched(target.pid());
  EXPECT_THAT(agent.control("on"), HasSubstr("on"));
  EXPECT_GT(compare_text(target.pid()).different, 0U);
  EXPECT_EQ(agent.stop(), 0);
  expect_untouched(target.pid());
  EXPECT_TRUE(target.running());
}

TEST(Text, NothingIsLeftTwoSecondsAfterTheAgentIsKilled) {
  Workload target("nz-functions", {"--call", "nz_entry_nop5", "--count", "2000", "--linger", "60"});
  Agent agent(kNoBreaker + "targets:\n" + target_yaml("t", target.pid(), stages_of_every_kind()),
              true);
  ASSERT_TRUE(agent.has_member(target.pid()));
  target.go();
  ASSERT_TRUE(eventually([&] { return !target.out().empty(); }, 20));
  EXPECT_GT(compare_text(target.pid()).different, 0U);
  const pid_t pid = agent.program().pid();
  const auto programs = ids_held(pid, "prog_id"), maps = ids_held(pid, "map_id"),
             links = ids_held(pid, "link_id");
  EXPECT_GE(programs.size(), 5U);
  EXPECT_GE(maps.size(), 5U);
  EXPECT_GE(links.size(), 3U);
  EXPECT_EQ(left_of(programs, ids_in_kernel("prog")).size(), programs.size());

  agent.program().signal(SIGKILL);
  EXPECT_EQ(agent.program().wait(10), 128 + SIGKILL);
  sleep_seconds(2);
  expect_untouched(target.pid());
  EXPECT_TRUE(left_of(programs, ids_in_kernel("prog")).empty());
  EXPECT_TRUE(left_of(maps, ids_in_kernel("map")).empty());
  EXPECT_TRUE(left_of(links, ids_in_kernel("link")).empty());
  EXPECT_TRUE(target.running());
  target.signal(SIGTERM);
}

// Calls are under way at every moment while the agent is switched off and on and killed: return
// probes and frames that are half open must not disturb the service.
TEST(Text, CallsUnderWaySurviveAttachAndDetach) {
  Workload target("nz-functions", {"--call", "nz_spin", "--spin-ns", "10000", "--count", "300000",
                                   "--threads", "2"});
  Agent agent(
      kNoBreaker + "targets:\n" +
          target_yaml("t", target.pid(),
                      {function_stage("spin", "nz_spin", true), function_stage("exits", "nz_spin"),
                       span_stage("span", "nz_spin", "nz_spin")}),
      true);
  ASSERT_TRUE(agent.has_member(target.pid()));
  target.go();
  for (int i = 0; i < 5; i++) {
    sleep_seconds(0.05);
    EXPECT_THAT(agent.control("off"), HasSubstr("everything detached"));
    EXPECT_THAT(agent.control("on"), HasSubstr("on"));
  }
  agent.settle();
  const auto data = agent.fetch();
  for (const char* stage : {"spin", "exits", "span"}) {
    SCOPED_TRACE(stage);
    const StageCounts c = stage_counts(data, "t", stage);
    EXPECT_GT(c.completed, 0U);
    // Read while it runs: what is under way in two threads is in flight.
    EXPECT_LE(c.in_flight, 2U + 2U * 8U);
    EXPECT_LE(c.abandoned(), 2U * 6U) << "at most what was open at each switch-off";
    EXPECT_LE(c.unmatched, 2U * 6U) << "at most what was under way at each switch-on";
  }
  EXPECT_TRUE(target.running());
  agent.program().signal(SIGKILL);
  EXPECT_EQ(agent.program().wait(10), 128 + SIGKILL);
  ASSERT_EQ(target.wait(120), 0);
  EXPECT_EQ(target.json()["wrong"], 0);
  EXPECT_EQ(target.json()["calls"], 600'000);
}

// What is open when everything is detached is counted when it is attached again, not forgotten.
TEST(Text, WhatIsOpenAtSwitchOffIsCounted) {
  Workload target("nz-functions", {"--call", "nz_spin", "--spin-ns", "1500000000", "--count", "2",
                                   "--threads", "2"});
  Agent agent(kNoBreaker + "targets:\n" +
                  target_yaml("t", target.pid(), {function_stage("spin", "nz_spin", true)}),
              true);
  ASSERT_TRUE(agent.has_member(target.pid()));
  target.go();
  ASSERT_TRUE(eventually([&] { return stage_counts(agent.fetch(), "t", "spin").started == 2; }, 5));
  EXPECT_THAT(agent.control("off"), HasSubstr("everything detached"));
  EXPECT_THAT(agent.control("on"), HasSubstr("on"));
  ASSERT_EQ(target.wait(60), 0);
  agent.settle();
  const StageCounts c = stage_counts(agent.fetch(), "t", "spin");
  EXPECT_EQ(c.started, 4U) << "the second call of each thread is seen from its beginning";
  EXPECT_EQ(c.completed, 2U);
  EXPECT_EQ(c.thread_exited, 2U);
  EXPECT_EQ(c.in_flight, 0U);
  EXPECT_EQ(agent.stop(), 0);
}

}  // namespace
}  // namespace nz::live
