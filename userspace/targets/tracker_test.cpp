// Targets followed through start, fork, exec, restart, exit and reload, on processes made by hand.
#include "userspace/targets/tracker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <utility>

#include "nearzero/abi.h"

namespace nz::targets {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::map<pid_t, Process>& world() {
  static std::map<pid_t, Process> processes;
  return processes;
}

std::optional<Process> read_world(pid_t pid, const std::string&) {
  const auto found = world().find(pid);
  if (found == world().end()) return std::nullopt;
  return found->second;
}

void runs(pid_t pid, const std::string& comm, uint64_t start = 1, pid_t parent = 0) {
  Process p;
  p.pid = pid;
  p.parent = parent;
  p.start_time = start;
  p.comm = comm;
  p.exe = "/bin/" + comm;
  world()[pid] = p;
}

config::Target target(const std::string& name, const std::string& comm) {
  config::Target t;
  t.name = name;
  t.match.comm = comm;
  return t;
}

// "+7@1 -9@2": process 7 added to slot 1, process 9 removed from slot 2; 'f' behind: by fork.
std::string text(const std::vector<Change>& changes) {
  std::string result;
  for (const Change& c : changes) {
    if (!result.empty()) result += ' ';
    result += c.kind == Change::Kind::added ? '+' : '-';
    result += std::to_string(c.member.process.pid) + "@" + std::to_string(c.member.slot);
    if (c.member.by_fork) result += 'f';
  }
  return result;
}

class TrackerTest : public testing::Test {
 protected:
  TrackerTest() { world().clear(); }

  std::string scan() {
    std::vector<pid_t> pids;
    for (const auto& [pid, process] : world()) pids.push_back(pid);
    return text(tracker.scan(pids));
  }

  Tracker tracker{&read_world};
};

TEST_F(TrackerTest, ScanFindsWhoMatchesAndForgetsWhoDied) {
  tracker.configure({target("a", "aa"), target("b", "bb*")});
  runs(1, "aa");
  runs(2, "bbb");
  runs(3, "cc");
  EXPECT_EQ(scan(), "+1@1 +2@2");
  EXPECT_EQ(scan(), "");
  world().erase(1);
  EXPECT_EQ(scan(), "-1@1");
  EXPECT_EQ(tracker.members().size(), 1U);
}

TEST_F(TrackerTest, TheVersionTellsOfEveryChange) {
  std::uint64_t known = tracker.version();
  const auto is_new = [&] { return std::exchange(known, tracker.version()) != tracker.version(); };
  tracker.configure({target("a", "aa")});
  EXPECT_TRUE(is_new());
  runs(1, "aa");
  scan();
  EXPECT_TRUE(is_new());
  scan();
  tracker.on_exit(99);
  EXPECT_FALSE(is_new());
  tracker.on_fork(2, 7);
  EXPECT_FALSE(is_new()) << "of no target";
  tracker.on_exit(1);
  EXPECT_TRUE(is_new());
}

TEST_F(TrackerTest, TheFirstTargetThatMatchesWins) {
  tracker.configure({target("narrow", "abc"), target("wide", "a*")});
  runs(1, "abc");
  runs(2, "abd");
  EXPECT_EQ(scan(), "+1@1 +2@2");
}

TEST_F(TrackerTest, ItNeverObservesItself) {
  tracker.configure({target("all", "*")});
  runs(getpid(), "nearzero");
  EXPECT_EQ(scan(), "");
  EXPECT_EQ(text(tracker.on_exec(getpid())), "");
}

TEST_F(TrackerTest, ExecMakesAndUnmakesMembers) {
  tracker.configure({target("a", "aa")});
  runs(5, "sh");
  EXPECT_EQ(text(tracker.on_exec(5)), "");
  runs(5, "aa");
  EXPECT_EQ(text(tracker.on_exec(5)), "+5@1");
  EXPECT_EQ(text(tracker.on_exec(5)), "-5@1 +5@1") << "its probes are void: attach anew";
  runs(5, "ls");
  EXPECT_EQ(text(tracker.on_exec(5)), "-5@1");
  EXPECT_EQ(text(tracker.on_exec(99)), "") << "gone before it was looked at";
}

TEST_F(TrackerTest, ExecOfAProcessThatVanishedRemovesIt) {
  tracker.configure({target("a", "aa")});
  runs(5, "aa");
  scan();
  world().erase(5);
  EXPECT_EQ(text(tracker.on_exec(5)), "-5@1");
}

TEST_F(TrackerTest, ChildrenStayThroughExecAndScan) {
  tracker.configure({target("a", "aa")});
  runs(5, "aa");
  scan();
  runs(6, "aa", 2);
  EXPECT_EQ(text(tracker.on_fork(6, 1)), "+6@1f");
  EXPECT_EQ(text(tracker.on_fork(6, 1)), "") << "told twice";
  runs(6, "helper", 2);
  EXPECT_EQ(text(tracker.on_exec(6)), "-6@1f +6@1f");
  EXPECT_EQ(scan(), "");
  EXPECT_EQ(text(tracker.on_exit(6)), "-6@1f");
  EXPECT_EQ(text(tracker.on_exit(6)), "");
}

TEST_F(TrackerTest, AChildWhoseExecWasNotToldStaysAChild) {
  tracker.configure({target("a", "aa")});
  runs(6, "aa", 2);
  tracker.on_fork(6, 1);
  runs(6, "helper", 2);
  EXPECT_EQ(scan(), "-6@1f +6@1f");
}

TEST_F(TrackerTest, AChildThatMatchesAnotherTargetByItselfBelongsThere) {
  tracker.configure({target("a", "aa"), target("b", "bb")});
  runs(6, "aa", 2);
  tracker.on_fork(6, 1);
  runs(6, "bb", 2);
  EXPECT_EQ(text(tracker.on_exec(6)), "-6@1f +6@2");
}

TEST_F(TrackerTest, AGrandchildIsFollowedThoughItsParentIsGone) {
  tracker.configure({target("a", "aa")});
  runs(5, "aa");
  scan();
  // 5 forks 6, 6 forks 7 and ends: when the events are read, 6 is gone.
  runs(7, "aa", 3);
  EXPECT_EQ(text(tracker.on_fork(6, 1)), "");
  EXPECT_EQ(text(tracker.on_fork(7, 1)), "+7@1f");
  EXPECT_EQ(text(tracker.on_exit(6)), "");
}

TEST_F(TrackerTest, AChildThatMatchesByItselfIsStillAChildAfterTheNextExec) {
  tracker.configure({target("a", "sh")});
  runs(6, "sh", 2);
  EXPECT_EQ(text(tracker.on_fork(6, 1)), "+6@1f");
  EXPECT_EQ(text(tracker.on_exec(6)), "-6@1f +6@1f");
  runs(6, "helper", 2);
  EXPECT_EQ(text(tracker.on_exec(6)), "-6@1f +6@1f");
}

TEST_F(TrackerTest, AChildThatAScanFoundBeforeItsForkWasToldIsAChild) {
  tracker.configure({target("a", "sh")});
  runs(6, "sh", 2);
  EXPECT_EQ(scan(), "+6@1");
  EXPECT_EQ(text(tracker.on_fork(6, 1)), "");
  runs(6, "helper", 2);
  EXPECT_EQ(text(tracker.on_exec(6)), "-6@1f +6@1f");
}

TEST_F(TrackerTest, ChildrenFromBeforeItWasAMemberAreAdopted) {
  tracker.configure({target("a", "aa"), target("b", "bb")});
  runs(9, "aa");
  runs(5, "child", 2, 9);
  runs(3, "grandchild", 3, 5);
  runs(4, "bb", 3, 5);
  runs(8, "stranger", 1, 1);
  EXPECT_EQ(scan(), "+4@2 +9@1 +5@1f +3@1f");
  EXPECT_EQ(scan(), "");
}

TEST_F(TrackerTest, ChildrenAreNotAdoptedWithoutFollowForks) {
  config::Target t = target("a", "aa");
  t.follow_forks = false;
  tracker.configure({t});
  runs(9, "aa");
  runs(5, "child", 2, 9);
  EXPECT_EQ(scan(), "+9@1");
}

TEST_F(TrackerTest, AReusedPidIsAnotherProcess) {
  tracker.configure({target("a", "aa")});
  runs(5, "aa", 10);
  EXPECT_EQ(scan(), "+5@1");
  runs(5, "aa", 20);
  EXPECT_EQ(scan(), "-5@1 +5@1");
  runs(5, "ls", 30);
  EXPECT_EQ(scan(), "-5@1");
  runs(6, "aa", 40);
  tracker.on_fork(6, 1);
  runs(6, "aa", 50);  // the end of the first was not told
  EXPECT_EQ(text(tracker.on_fork(6, 1)), "-6@1f +6@1f");
  runs(6, "ls", 60);
  EXPECT_EQ(scan(), "-6@1f") << "a stranger inherits nothing";
}

TEST_F(TrackerTest, ForkOfASlotThatIsNobodysIsIgnored) {
  tracker.configure({target("a", "aa")});
  runs(6, "aa");
  EXPECT_EQ(text(tracker.on_fork(6, 9)), "");
}

TEST_F(TrackerTest, ReloadKeepsTheSlotOfANameInAnyOrder) {
  tracker.configure({target("a", "aa"), target("b", "bb")});
  runs(1, "aa");
  runs(2, "bb");
  scan();
  EXPECT_THAT(tracker.configure({target("c", "cc"), target("b", "bb"), target("a", "aa")}),
              IsEmpty());
  EXPECT_EQ(tracker.target(1)->name, "a");
  EXPECT_EQ(tracker.target(2)->name, "b");
  EXPECT_EQ(tracker.target(3)->name, "c");
  EXPECT_EQ(text(tracker.configure({target("b", "bb")})), "-1@1");
  EXPECT_EQ(tracker.target(1), nullptr);
  EXPECT_THAT(tracker.slots(), ElementsAre(2U));
}

TEST_F(TrackerTest, ASlotIsNeverGivenToAnotherNameSoCountsDoNotMix) {
  tracker.configure({target("a", "aa")});
  tracker.configure({target("b", "bb")});
  tracker.configure({target("c", "cc")});
  EXPECT_EQ(tracker.target(3)->name, "c");
  EXPECT_EQ(tracker.target(1), nullptr);
  tracker.configure({target("a", "aa"), target("c", "cc")});
  EXPECT_EQ(tracker.target(1)->name, "a") << "who comes back continues its own counts";
}

TEST_F(TrackerTest, WhenAllSlotsAreUsedUpItSaysSo) {
  std::vector<config::Target> all;
  for (int i = 0; i < NZ_MAX_TARGETS; i++)
    all.push_back(target("t" + std::to_string(i), "x" + std::to_string(i)));
  tracker.configure(all);
  EXPECT_THAT(tracker.without_slot(), IsEmpty());
  EXPECT_EQ(tracker.slots().size(), static_cast<size_t>(NZ_MAX_TARGETS));
  all[3] = target("late", "late");
  tracker.configure(all);
  EXPECT_THAT(tracker.without_slot(), ElementsAre("late"));
  EXPECT_EQ(tracker.slots().size(), static_cast<size_t>(NZ_MAX_TARGETS) - 1);
  all[3] = target("t3", "x3");
  tracker.configure(all);
  EXPECT_THAT(tracker.without_slot(), IsEmpty());
  EXPECT_EQ(tracker.target(4)->name, "t3");
}

TEST_F(TrackerTest, ReloadRemovesWhoNoLongerMatchesAndChildrenNoLongerFollowed) {
  tracker.configure({target("a", "aa")});
  runs(1, "aa");
  runs(2, "child", 2);
  scan();
  tracker.on_fork(2, 1);
  config::Target unfollowed = target("a", "aa");
  unfollowed.follow_forks = false;
  EXPECT_EQ(text(tracker.configure({unfollowed})), "-2@1");
  EXPECT_EQ(text(tracker.configure({target("a", "other")})), "-1@1");
}

TEST_F(TrackerTest, AMemberThatMovedToAnotherTargetChangesSlot) {
  tracker.configure({target("a", "aa"), target("b", "bb")});
  runs(1, "aa");
  scan();
  Process moved = world()[1];
  moved.comm = "bb";  // prctl(PR_SET_NAME)
  world()[1] = moved;
  EXPECT_EQ(scan(), "-1@1 +1@2");
  moved.comm = "cc";
  world()[1] = moved;
  EXPECT_EQ(scan(), "-1@2");
}

}  // namespace
}  // namespace nz::targets
