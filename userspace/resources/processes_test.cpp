// Totals of a target over processes that come, go, are waited for, or share a pid one after
// another.
#include "userspace/resources/processes.h"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <ctime>
#include <fstream>

#include "userspace/resources/fake_tree.h"
#include "userspace/resources/targets.h"

namespace nz::resources {
namespace {

struct Fake {
  pid_t pid = 0, parent = 1;
  uint64_t start = 0;
  uint64_t user = 0, system = 0, minor = 0, written = 0;
  uint64_t child_user = 0, child_minor = 0;
  char state = 'S';
  std::string comm = "x";
};

class ProcessesTest : public FakeTree {
 protected:
  void set(const Fake& p) const {
    const std::string folder = "proc/" + std::to_string(p.pid);
    file(folder + "/stat", std::to_string(p.pid) + " (" + p.comm + ") " + p.state + " " +
                               std::to_string(p.parent) + " 2 3 0 -1 4194560 " +
                               std::to_string(p.minor) + " " + std::to_string(p.child_minor) +
                               " 7 0 " + std::to_string(p.user) + " " + std::to_string(p.system) +
                               " " + std::to_string(p.child_user) + " 0 20 0 4 0 " +
                               std::to_string(p.start) + " 100000 25 18446744073709551615 1 1 0\n");
    file(folder + "/io", "rchar: 1\nwchar: 2\nsyscr: 3\nsyscw: 4\nread_bytes: 4096\nwrite_bytes: " +
                             std::to_string(p.written) + "\ncancelled_write_bytes: 9\n");
    file(folder + "/limits",
         "Limit                     Soft Limit           Hard Limit           Units     \n"
         "Max open files            64                   4096                 files     \n");
    file(folder + "/cgroup", "0::/\n");
    file(folder + "/fd/0", "");
    file(folder + "/fd/1", "");
  }
  // Unlike the kernel's, an open file of ours can be read on: empty, it says that nobody is there.
  void gone(pid_t pid) const {
    file("proc/" + std::to_string(pid) + "/stat", "");
    remove("proc/" + std::to_string(pid));
  }
  /// One collection, of one target "t" with these processes.
  void round(const std::vector<Fake>& members, bool follow = true) {
    TargetProcesses target{"t", {}, follow};
    for (const Fake& m : members) target.processes.push_back({m.pid, m.start});
    now += 100;
    collect([&](Context& c) { processes.collect(c, {target}, now, false); });
  }
  [[nodiscard]] uint64_t user() const { return processes.totals("t").usage[Usage::user]; }
  [[nodiscard]] uint64_t written() const { return processes.totals("t").io[1]; }

  Processes processes{paths.proc};
  uint64_t now = 10'000;
};

TEST(ProcessFiles, StatWithHostileCommands) {
  for (const std::string comm : {"a", "a b", "x) S 9 9 9", "((", ") 1 2 3 4 5 6 7", "a\nb"}) {
    Usage u;
    ASSERT_TRUE(parse_process_stat(
        "42 (" + comm + ") Z 7 2 3 34816 -1 4194560 10 11 12 13 14 15 16 17 20 0 5 0 99 1000 25\n",
        u))
        << comm;
    EXPECT_EQ(u.parent, 7);
    EXPECT_TRUE(u.ended);
    EXPECT_EQ(u.own, (std::array<uint64_t, 4>{14, 15, 10, 12}));
    EXPECT_EQ(u.children, (std::array<uint64_t, 4>{16, 17, 11, 13}));
    EXPECT_EQ(u.threads, 5U);
    EXPECT_EQ(u.start_time, 99U);
    EXPECT_EQ(u.resident_pages, 25U);
  }
  Usage u;
  for (const char* text : {"", "42", "42 (x", "42 (x)\n", "42 (x) S\n", "42 (x) S 1 2 3\n",
                           "42 (x) S 7 2 3 0 -1 0 10 11 12 13 14 15 16 17 20 0 5 0 99 1000 -1\n",
                           "42 (x) S 7 2 3 0 -1 0 10 11 12 13 14 15 16 17 20 0 5 0 99 1000 25"})
    EXPECT_FALSE(parse_process_stat(text, u)) << text;
}

TEST(ProcessFiles, IoLimitsSwap) {
  std::array<uint64_t, 2> io{};
  EXPECT_TRUE(parse_process_io("read_bytes: 1\nwrite_bytes: 2\ncancelled_write_bytes: 3\n", io));
  EXPECT_EQ(io, (std::array<uint64_t, 2>{1, 2}));
  EXPECT_FALSE(parse_process_io("read_bytes: 1\nwrite_bytes: 2", io)) << "cut off";
  EXPECT_EQ(parse_open_files_limit("Max open files            1024    4096   files\n"), 1024U);
  EXPECT_EQ(parse_open_files_limit("Max open files            unlimited  4096 files\n"),
            std::nullopt);
  EXPECT_EQ(parse_open_files_limit("Max file size 1 1\n"), std::nullopt);
  EXPECT_EQ(parse_swap("VmRSS:\t 4 kB\nVmSwap:\t     12 kB\n"), 12 * 1024U);
  EXPECT_EQ(parse_swap("Name:\tkthread\n"), 0U);
}

TEST_F(ProcessesTest, CountsWhatGrowsSinceItLooks) {
  Fake p{.pid = 42, .start = 50, .user = 1000, .system = 500, .minor = 9, .written = 8192};
  set(p);
  round({p});
  EXPECT_EQ(user(), 0U) << "what was before nearzero is not ours to count";
  p.user += 30;
  p.system += 20;
  p.written += 4096;
  set(p);
  round({p});
  EXPECT_EQ(user(), 30U);
  EXPECT_EQ(processes.totals("t").usage[Usage::system], 20U);
  EXPECT_EQ(written(), 4096U);
  EXPECT_EQ(processes.totals("other").usage[Usage::user], 0U);
  EXPECT_EQ(errors.of(Source::processes), 0U);
}

TEST_F(ProcessesTest, AProcessThatStartsLaterCountsFromItsStart) {
  round({});
  Fake p{.pid = 42, .start = now + 20, .user = 70};
  set(p);
  round({p});
  EXPECT_EQ(user(), 70U);
  Fake old{.pid = 43, .start = 50, .user = 1'000'000};  // joins, but has been there for long
  set(old);
  round({p, old});
  EXPECT_EQ(user(), 70U) << "no leap";
}

TEST_F(ProcessesTest, WhatEndedProcessesHadStays) {
  round({});
  Fake a{.pid = 42, .start = now + 1, .user = 100};
  set(a);
  round({a});
  gone(42);
  round({});
  EXPECT_EQ(user(), 100U);
  a = {.pid = 42, .start = now + 50, .user = 5};  // the same pid
  set(a);
  round({a});
  EXPECT_EQ(user(), 105U);
  gone(42);
  round({a});  // not told yet
  EXPECT_EQ(user(), 105U);
  EXPECT_TRUE(processes.followed().empty());
  EXPECT_EQ(errors.of(Source::processes), 0U) << "ending is no failure";
}

TEST_F(ProcessesTest, APidThatIsAnothersNowWithinOneInterval) {
  round({});
  Fake a{.pid = 42, .start = now + 1, .user = 100};
  set(a);
  round({a});
  Fake b{.pid = 42, .start = now + 60, .user = 7};
  set(b);
  round({a});
  EXPECT_EQ(user(), 100U) << "the tracker still means the old one";
  round({b});
  EXPECT_EQ(user(), 107U);
}

TEST_F(ProcessesTest, TheLastFiguresOfAZombieCount) {
  round({});
  Fake a{.pid = 42, .start = now + 1, .user = 100};
  set(a);
  round({a});
  a.user = 160;
  a.state = 'Z';
  set(a);
  round({});  // its end has been told
  EXPECT_EQ(user(), 160U);
  round({});
  EXPECT_EQ(user(), 160U);
  EXPECT_EQ(processes.followed().size(), 1U) << "until somebody has waited for it";
  gone(42);
  round({});
  EXPECT_TRUE(processes.followed().empty());
}

TEST_F(ProcessesTest, ChildrenCountOnceWhenTheirParentWaits) {
  round({});
  Fake parent{.pid = 10, .start = now + 1, .user = 5, .minor = 1};
  Fake child{.pid = 11, .parent = 10, .start = now + 2, .user = 100, .minor = 50, .written = 1000};
  set(parent);
  set(child);
  round({parent, child});
  EXPECT_EQ(user(), 105U);
  EXPECT_EQ(written(), 1000U);
  // The child went on for 20 more ticks, ended, and was waited for.
  gone(11);
  parent.child_user = 120;
  parent.child_minor = 60;
  parent.written = 1500;
  set(parent);
  round({parent});
  EXPECT_EQ(user(), 125U) << "nothing twice, and its last ticks too";
  EXPECT_EQ(written(), 1500U);
  // Children that came and went between two collections.
  parent.child_user += 33;
  parent.child_minor += 5;
  set(parent);
  round({parent});
  EXPECT_EQ(user(), 158U);
}

TEST_F(ProcessesTest, AParentMayWaitLateOrNever) {
  round({});
  Fake parent{.pid = 10, .start = now + 1};
  Fake child{.pid = 11, .parent = 10, .start = now + 2, .user = 100, .minor = 50};
  set(parent);
  set(child);
  round({parent, child});
  child.state = 'Z';
  set(child);
  for (int i = 0; i < 10; i++) round({parent});
  gone(11);
  round({parent});
  parent.child_user = 100;
  parent.child_minor = 50;
  set(parent);
  round({parent});
  EXPECT_EQ(user(), 100U) << "ten seconds a zombie, then waited for";
  // Nobody waits for this one: SIGCHLD is ignored.
  Fake second{.pid = 12, .parent = 10, .start = now + 2, .user = 40, .minor = 50};
  set(second);
  round({parent, second});
  gone(12);
  for (int i = 0; i < 4; i++) round({parent});
  parent.child_user += 40;
  parent.child_minor += 1;
  set(parent);
  round({parent});
  EXPECT_EQ(user(), 180U) << "what comes later is another child's";
}

TEST_F(ProcessesTest, GrandchildrenWhoseParentEndedWithThem) {
  round({});
  Fake a{.pid = 10, .start = now + 1};
  Fake b{.pid = 11, .parent = 10, .start = now + 2, .user = 10, .minor = 1};
  Fake c{.pid = 12, .parent = 11, .start = now + 3, .user = 200, .minor = 1};
  for (const Fake& p : {a, b, c}) set(p);
  round({a, b, c});
  EXPECT_EQ(user(), 210U);
  gone(11);
  gone(12);
  a.child_user = 215;
  a.child_minor = 3;
  set(a);
  round({a});
  EXPECT_EQ(user(), 215U);
}

TEST_F(ProcessesTest, WithoutForksChildrenAreOthers) {
  round({}, false);
  Fake parent{.pid = 10, .start = now + 1, .user = 5};
  set(parent);
  round({parent}, false);
  parent.child_user = 1000;
  parent.child_minor = 5;
  parent.user = 6;
  set(parent);
  round({parent}, false);
  EXPECT_EQ(user(), 6U);
}

TEST_F(ProcessesTest, BrokenFilesAreCounted) {
  Fake p{.pid = 42, .start = 50};
  set(p);
  file("proc/42/io", "read_bytes: x\n");
  round({p});
  EXPECT_EQ(errors.of(Source::processes), 1U);
  file("proc/42/stat", "42 (x) S\n");
  round({p});
  EXPECT_EQ(errors.of(Source::processes), 2U);
}

TEST_F(ProcessesTest, ThousandsOfProcessesAreReadInTurns) {
  std::vector<Fake> many;
  round({});
  for (int i = 0; i < 1200; i++) {
    many.push_back({.pid = 1000 + i, .start = now + 1, .user = 1});
    set(many.back());
  }
  round(many);
  EXPECT_EQ(user(), Processes::kReadAtOnce);
  round(many);
  round(many);
  EXPECT_EQ(user(), 1200U);
}

TEST_F(ProcessesTest, FamiliesOfATarget) {
  Targets targets(paths);
  const auto run = [&](const std::vector<TargetProcesses>& list) {
    now += 100;
    collect([&](Context& c) {
      Rows pressure(c, "nearzero_pressure_seconds_total", "", kCounter);
      targets.collect(c, list, now, true, pressure);
    });
  };
  run({{"t", {}}});
  EXPECT_EQ(value("nearzero_target_cpu_seconds_total", {{"target", "t"}, {"mode", "user"}}), 0);
  EXPECT_EQ(value("nearzero_target_threads", {{"target", "t"}}), 0);
  Fake a{.pid = 42, .start = now + 1, .user = 150, .system = 50, .minor = 9};
  Fake b{.pid = 43, .start = now + 1};
  set(a);
  set(b);
  file("proc/42/status", "VmSwap: 8 kB\n");
  file("proc/43/fd/2", "");
  run({{"t", {{42, a.start}, {43, b.start}}}, {"empty", {}}});
  EXPECT_EQ(value("nearzero_target_cpu_seconds_total", {{"target", "t"}, {"mode", "user"}}), 1.5);
  EXPECT_EQ(value("nearzero_target_cpu_seconds_total", {{"target", "t"}, {"mode", "system"}}), 0.5);
  EXPECT_EQ(value("nearzero_target_page_faults_total", {{"target", "t"}, {"kind", "minor"}}), 9);
  EXPECT_EQ(value("nearzero_target_page_faults_total", {{"target", "t"}, {"kind", "major"}}), 14);
  EXPECT_EQ(value("nearzero_target_io_bytes_total", {{"target", "t"}, {"direction", "read"}}),
            8192);
  EXPECT_EQ(value("nearzero_target_threads", {{"target", "t"}}), 8);
  EXPECT_EQ(value("nearzero_target_memory_bytes", {{"target", "t"}, {"kind", "resident"}}),
            50.0 * static_cast<double>(sysconf(_SC_PAGESIZE)));
  EXPECT_EQ(value("nearzero_target_memory_bytes", {{"target", "t"}, {"kind", "swap"}}), 8192);
  EXPECT_EQ(value("nearzero_target_open_files", {{"target", "t"}, {"kind", "used"}}), 3)
      << "of the process nearest to its limit";
  EXPECT_EQ(value("nearzero_target_open_files", {{"target", "t"}, {"kind", "limit"}}), 64);
  EXPECT_EQ(value("nearzero_target_throttled_periods_total", {{"target", "t"}}), 0);
  EXPECT_EQ(value("nearzero_target_cpu_quota_cores", {{"target", "t"}}), std::nullopt);
  EXPECT_EQ(value("nearzero_target_threads", {{"target", "empty"}}), 0);
  run({{"empty", {}}});
  EXPECT_EQ(rows("nearzero_target_threads"), 1U) << "a target that is gone has no rows";
}

// The real kernel: a child that is waited for counts once.
TEST_F(ProcessesTest, TheKernelsOwnChildren) {
  Processes real("/proc");
  const auto burn = [](double seconds) {
    const auto begin = clock();
    while (static_cast<double>(clock() - begin) / CLOCKS_PER_SEC < seconds) {
    }
  };
  Usage self;
  const auto start_of = [&](pid_t pid) {
    std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
    std::string text((std::istreambuf_iterator<char>(in)), {});
    EXPECT_TRUE(parse_process_stat(text, self));
    return self.start_time;
  };
  const auto run = [&](std::vector<TargetProcesses::Identity> members) {
    collect([&](Context& c) { real.collect(c, {{"t", std::move(members)}}, 0, false); });
  };
  const TargetProcesses::Identity me{getpid(), start_of(getpid())};
  run({me});
  std::array<int, 2> done{};
  ASSERT_EQ(pipe(done.data()), 0);
  const pid_t child = fork();
  if (child == 0) {
    burn(0.3);
    (void)!write(done[1], "x", 1);
    pause();
    _exit(0);
  }
  ASSERT_GT(child, 0);
  const TargetProcesses::Identity it{child, start_of(child)};
  run({me, it});
  burn(0.3);
  char byte = 0;
  ASSERT_EQ(read(done[0], &byte, 1), 1);
  run({me, it});
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  run({me});
  run({me});
  const Processes::Totals totals = real.totals("t");
  const uint64_t ticks = totals.usage[Usage::user] + totals.usage[Usage::system];
  EXPECT_GE(ticks, 55U);
  EXPECT_LE(ticks, 75U) << "0.6 s, not 0.9";
}

}  // namespace
}  // namespace nz::resources
