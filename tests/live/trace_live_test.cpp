// `nearzero trace`: the real command against workloads that know their own truth. Counts are
// compared exactly, durations within the factor that one bucket allows.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "tests/live/harness/agent.h"
#include "tests/live/harness/command.h"
#include "tests/live/harness/trace.h"

namespace nz::live {
namespace {

using nlohmann::json;

// ---- functions

TEST(TraceFunctions, CountsEveryCallOfEachKindOfEntry) {
  for (const char* name : {"nz_entry_push", "nz_entry_endbr", "nz_entry_sub_call",
                           "nz_entry_mov_push", "nz_entry_plain", "nz_entry_nop5"}) {
    Workload functions("nz-functions", {"--call", name, "--count", "20000", "--threads", "2"});
    Trace trace({std::string("func:") + NZ_WORKLOADS + "/nz-functions:" + name, "-p",
                 std::to_string(functions.pid())});
    functions.go();
    ASSERT_EQ(functions.wait(60), 0) << name;
    const json row = row_of(trace.end(), "func", name);
    EXPECT_EQ(count_of(row), 40000U) << name << ": " << row << trace.lost();
  }
}

TEST(TraceFunctions, RecursionAndNestingAreTimedCallByCall) {
  Workload functions("nz-functions", {"--call", "nz_recursive", "--depth", "9", "--count", "1000"});
  Trace trace({std::string("func:") + NZ_WORKLOADS + "/nz-functions:nz_recursive", "-p",
               std::to_string(functions.pid())});
  functions.go();
  ASSERT_EQ(functions.wait(60), 0);
  EXPECT_EQ(count_of(row_of(trace.end(), "func", "nz_recursive")), 10000U);
}

TEST(TraceFunctions, DurationsAreThoseOfTheFunction) {
  Workload functions("nz-functions",
                     {"--call", "nz_spin", "--spin-ns", "200000", "--count", "2000"});
  Trace trace({std::string("func:") + NZ_WORKLOADS + "/nz-functions:nz_spin", "-p",
               std::to_string(functions.pid())});
  functions.go();
  ASSERT_EQ(functions.wait(60), 0);
  const json row = row_of(trace.end(), "func", "nz_spin");
  ASSERT_EQ(count_of(row), 2000U) << row;
  EXPECT_GE(row["min_seconds"].get<double>(), 200e-6);
  EXPECT_LT(row["quantiles"]["p50"].get<double>(), 200e-6 * 1.15);
}

TEST(TraceFunctions, ExceptionsAndLongjmpsHarmNothingAndAreCounted) {
  Workload unwind("nz-unwind", {"--exceptions", "5000", "--longjmps", "5000", "--returns", "5000"});
  Trace trace({std::string("func:") + NZ_WORKLOADS + "/nz-unwind:unwind::middle", "-p",
               std::to_string(unwind.pid())});
  unwind.go();
  EXPECT_EQ(unwind.wait(60), 0) << "the program itself says that nothing went astray";
  const json row = row_of(trace.end(), "func", "unwind::middle");
  // Those that throw leave by no exit; they are found when their frame is entered again.
  EXPECT_GE(count_of(row), 5000U) << row;
  EXPECT_GT(trace.lost().value("calls whose end was not seen", 0), 0) << trace.lost();
}

TEST(TraceFunctions, EveryProcessWithoutAFilterAlsoThoseThatStartLater) {
  Trace trace({std::string("func:") + NZ_WORKLOADS + "/nz-functions:nz_inner"});
  uint64_t calls = 0;
  for (int i = 0; i < 3; i++) {
    Program late(
        {std::string(NZ_WORKLOADS) + "/nz-functions", "--call", "nz_outer", "--count", "700"});
    EXPECT_EQ(late.wait(30), 0);
    calls += 1400;
  }
  EXPECT_EQ(count_of(row_of(trace.end(), "func", "nz_inner")), calls);
}

TEST(TraceFunctions, ByThreadAndCpuTheRowsAddUp) {
  Workload functions("nz-functions",
                     {"--call", "nz_entry_push", "--count", "5000", "--threads", "4"});
  Trace trace({std::string("func:") + NZ_WORKLOADS + "/nz-functions:nz_entry_push", "-p",
               std::to_string(functions.pid()), "--by", "tid,cpu"});
  functions.go();
  ASSERT_EQ(functions.wait(60), 0);
  std::map<std::string, uint64_t> by_thread;
  for (const json& row : trace.end()) {
    ASSERT_TRUE(row["by"].contains("cpu") && row["by"].contains("tid")) << row;
    by_thread[row["by"]["tid"]] += count_of(row);
  }
  ASSERT_EQ(by_thread.size(), 4U);
  for (const auto& [tid, count] : by_thread) EXPECT_EQ(count, 5000U) << tid;
}

TEST(TraceFunctions, OfAnExecutableThatWasReplacedUnderItsProcess) {
  const std::string file = temporary_file("replaced", "");
  std::filesystem::copy_file(std::string(NZ_WORKLOADS) + "/nz-functions", file,
                             std::filesystem::copy_options::overwrite_existing);
  Program functions({file, "--call", "nz_outer", "--count", "1500", "--wait"});
  ASSERT_TRUE(functions.wait_for_text("ready", 10));
  std::filesystem::remove(file);
  std::ofstream(file) << "not the program any more";
  Trace trace({"func::nz_inner", "-p", std::to_string(functions.pid())});
  functions.signal(SIGUSR2);
  ASSERT_EQ(functions.wait(30), 0);
  EXPECT_EQ(count_of(row_of(trace.end(), "func", "nz_inner")), 3000U);
}

TEST(TraceFunctions, InAContainersOwnFilesAndProcessNumbers) {
  // A mount namespace in which the path holds another file than here, and a pid namespace of its
  // own.
  const std::string folder = temporary_file("container", "") + ".d";
  std::filesystem::create_directories(folder);
  Program container({"/usr/bin/unshare", "--mount", "--propagation", "unchanged", "--pid", "--fork",
                     "--kill-child", "/bin/sh", "-c",
                     // In a chroot the root is no mount, and cannot be made private; it is already.
                     "mount --make-rprivate / 2>/dev/null; mount -t tmpfs none " + folder +
                         " && cp " + NZ_WORKLOADS + "/nz-functions " + folder +
                         "/service && exec " + folder +
                         "/service --call nz_outer --count 1200 --wait"});
  ASSERT_TRUE(container.wait_for_text("ready pid=", 10)) << container.err();
  EXPECT_FALSE(std::filesystem::exists(folder + "/service")) << "not in our mount namespace";
  // Its pid as we see it: the one child of unshare.
  pid_t pid = 0;
  std::ifstream("/proc/" + std::to_string(container.pid()) + "/task/" +
                std::to_string(container.pid()) + "/children") >>
      pid;
  ASSERT_GT(pid, 0);
  Trace trace({"func:" + folder + "/service:nz_inner", "-p", std::to_string(pid)});
  kill(pid, SIGUSR2);
  ASSERT_EQ(container.wait(30), 0);
  EXPECT_EQ(count_of(row_of(trace.end(), "func", "nz_inner")), 2400U);
}

TEST(TraceFunctions, OfACommandAlsoWhoStartsLater) {
  Trace trace(
      {std::string("func:") + NZ_WORKLOADS + "/nz-functions:nz_inner", "-n", "nz-functions"});
  // It has started, and waits: its execution is seen before its first call.
  Workload late("nz-functions", {"--call", "nz_outer", "--count", "900"});
  sleep_seconds(0.5);
  late.go();
  ASSERT_EQ(late.wait(30), 0);
  EXPECT_EQ(count_of(row_of(trace.end(), "func", "nz_inner")), 1800U);
}

// ---- system calls

TEST(TraceSyscalls, CountsThoseOfOneProcessExactly) {
  Workload syscalls("nz-syscalls", {"--mode", "getppid", "--count", "30000"});
  Trace trace({"syscalls", "-p", std::to_string(syscalls.pid())});
  syscalls.go();
  ASSERT_EQ(syscalls.wait(60), 0);
  EXPECT_EQ(count_of(row_of(trace.end(), "syscalls", "getppid")), 30000U);
}

TEST(TraceSyscalls, OfEverybodyByCommand) {
  Trace trace({"syscalls", "--by", "comm"});
  Workload syscalls("nz-syscalls", {"--mode", "getppid", "--count", "20000"});
  syscalls.go();
  ASSERT_EQ(syscalls.wait(60), 0);
  uint64_t count = 0;
  std::set<std::string> commands;
  for (const json& row : trace.end()) {
    commands.insert(row["by"]["comm"]);
    if (row["what"] == "getppid" && row["by"]["comm"] == "nz-syscalls") count += count_of(row);
  }
  EXPECT_EQ(count, 20000U);
  EXPECT_GT(commands.size(), 1U) << "others make system calls, too";
}

// ---- scheduler

TEST(TraceScheduler, OffCpuTellsTheReasonTheSyscallAndTheTime) {
  Workload sleeper("nz-offcpu", {"--mode", "nanosleep", "--count", "100", "--ms", "5"});
  Trace trace({"offcpu", "-p", std::to_string(sleeper.pid()), "--by", "syscall"});
  sleeper.go();
  ASSERT_EQ(sleeper.wait(60), 0);
  const json row = row_of(trace.end(), "offcpu", "sleep");
  EXPECT_EQ(count_of(row), 100U) << row;
  EXPECT_EQ(row["by"]["detail"], "clock_nanosleep") << row;
  EXPECT_GE(row["min_seconds"].get<double>(), 0.005);
  EXPECT_LT(row["quantiles"]["p50"].get<double>(), 0.0065);
}

TEST(TraceScheduler, RunQueueAndOnCpuOfTheWholeHost) {
  Trace trace({"runq", "oncpu"});
  Program pingpong({std::string(NZ_WORKLOADS) + "/nz-pingpong", "--count", "20000"});
  ASSERT_EQ(pingpong.wait(60), 0);
  const json rows = trace.end();
  // Whoever is woken may take the CPU from who woke it.
  EXPECT_GE(count_of(row_of(rows, "runq", "after wakeup")) +
                count_of(row_of(rows, "runq", "after preemption")),
            40000U);
  EXPECT_GE(count_of(row_of(rows, "oncpu", "on CPU")), 40000U);
  EXPECT_EQ(row_of(rows, "offcpu", ""), json::object()) << "nobody asked";
}

TEST(TraceScheduler, FutexWaitsByAddress) {
  Workload mutex("nz-offcpu", {"--mode", "mutex", "--count", "50", "--ms", "5"});
  Trace trace({"futex", "-p", std::to_string(mutex.pid()), "--by", "detail"});
  mutex.go();
  ASSERT_EQ(mutex.wait(60), 0);
  const json rows = trace.end();
  const json row = row_of(rows, "futex", "lock");
  EXPECT_GE(count_of(row), 50U) << rows;
  EXPECT_TRUE(row["by"]["detail"].get<std::string>().starts_with("0x")) << row;
  EXPECT_GT(row["quantiles"]["p50"].get<double>(), 0.003) << row;
}

TEST(TraceScheduler, SlowEventsHaveTimeThreadAndStack) {
  Workload sleeper("nz-offcpu", {"--mode", "nanosleep", "--count", "20", "--ms", "30"});
  Trace trace({"offcpu", "-p", std::to_string(sleeper.pid()), "--slower", "20ms"});
  sleeper.go();
  ASSERT_EQ(sleeper.wait(60), 0);
  trace.end();
  size_t sleeps = 0;
  for (const json& slow : trace.slow()) {
    EXPECT_GE(slow["seconds"].get<double>(), 0.020);
    EXPECT_EQ(slow["pid"], sleeper.pid());
    if (slow["what"] != "sleep") continue;
    sleeps++;
    EXPECT_NE(slow["kernel_stack"].dump().find("nanosleep"), std::string::npos) << slow;
    EXPECT_NE(slow["user_stack"].dump().find("nanosleep"), std::string::npos) << slow;
  }
  EXPECT_EQ(sleeps, 20U);
}

TEST(TraceScheduler, WhoeverIsPreemptedForLongIsShownWhereItWas) {
  const auto threads = std::to_string(3 * sysconf(_SC_NPROCESSORS_ONLN));
  Workload spinners("nz-functions", {"--call", "nz_spin", "--spin-ns", "1000000", "--count", "500",
                                     "--threads", threads});
  Trace trace({"runq", "-p", std::to_string(spinners.pid()), "--slower", "2ms"});
  spinners.go();
  ASSERT_EQ(spinners.wait(60), 0);
  trace.end();
  size_t preempted = 0;
  size_t in_program =
      0;  // its own frames, under the clock's of the vdso where it is most of the time
  for (const json& slow : trace.slow()) {
    if (slow["what"] != "after preemption") continue;
    preempted++;
    if (slow["user_stack"].dump().find("(nz-functions)") != std::string::npos) in_program++;
  }
  ASSERT_GT(preempted, 10U) << "three threads a CPU take turns";
  EXPECT_GT(in_program, preempted / 2);
}

// ---- SQLite

TEST(TraceSqlite, StatementsAreCountedExactlyInBothKindsOfBinary) {
  for (const char* program : {"nz-sqlite", "nz-sqlite-static"}) {
    Workload sqlite(program, {"--mode", "insert", "--count", "500"});
    Trace trace({"sqlite", "-p", std::to_string(sqlite.pid())});
    sqlite.go();
    ASSERT_EQ(sqlite.wait(60), 0);
    const json rows = trace.end();
    EXPECT_EQ(count_of(row_of(rows, "sqlite", "inside: INSERT")), 500U) << program << rows;
  }
}

// ---- disk, network, memory

TEST(TraceBlock, SyncsReachTheDevice) {
  Workload sync("nz-offcpu", {"--mode", "fdatasync", "--count", "40"});
  Trace trace({"block", "--by", "detail"});
  sync.go();
  ASSERT_EQ(sync.wait(120), 0);
  const json rows = trace.end();
  uint64_t writes = 0;
  for (const json& row : rows) {
    if (row["what"] == "write" || row["what"] == "flush") writes += count_of(row);
    EXPECT_FALSE(row["by"].value("detail", "").empty()) << row;
  }
  EXPECT_GE(writes, 40U) << rows;
}

TEST(TraceTcp, RoundTripsAndConnectsOnLoopback) {
  Workload tcp("nz-offcpu", {"--mode", "tcp", "--count", "50", "--ms", "2"});
  Trace trace({"tcp"});
  tcp.go();
  ASSERT_EQ(tcp.wait(60), 0);
  const json rows = trace.end();
  EXPECT_GT(count_of(row_of(rows, "tcp", "round trip")), 0U) << rows;
}

TEST(TracePageFaults, ThoseOfOneProcessAreCounted) {
  Workload faults("nz-offcpu", {"--mode", "pagefault", "--count", "20"});
  Trace trace({"pagefaults", "-p", std::to_string(faults.pid())});
  faults.go();
  ASSERT_EQ(faults.wait(120), 0);
  uint64_t count = 0;
  for (const json& row : trace.end()) {
    if (row["what"] != "blocked") count += count_of(row);
  }
  EXPECT_GE(count, 20U);
}

TEST(TraceUsdt, ProbesOfLibstdcxxAreCountedAndPairedByThread) {
  Workload unwind("nz-unwind", {"--exceptions", "3000", "--longjmps", "0", "--returns", "0"});
  Trace trace({"usdt:libstdc++:libstdcxx:throw", "usdt:libstdc++:libstdcxx:throw..catch", "-p",
               std::to_string(unwind.pid())});
  unwind.go();
  ASSERT_EQ(unwind.wait(60), 0);
  const json rows = trace.end();
  const json hits = row_of(rows, "usdt", "libstdcxx:throw");
  const json pairs = row_of(rows, "usdt", "throw..catch");
  EXPECT_EQ(count_of(pairs), 3000U) << rows;
  EXPECT_GT(pairs["quantiles"]["p50"].get<double>(), 1e-7) << pairs;
  uint64_t counted = 0;
  for (const json& row : rows) {
    if (row["what"] == "libstdcxx:throw") counted += count_of(row);
  }
  EXPECT_EQ(counted, 3000U) << hits;
}

// ---- the command itself

TEST(TraceCommand, IntervalsAreWholeAndDisjoint) {
  Workload functions("nz-functions",
                     {"--call", "nz_spin", "--spin-ns", "100000", "--count", "20000"});
  Program trace({NZ_AGENT, "trace", std::string("func:") + NZ_WORKLOADS + "/nz-functions:nz_spin",
                 "-p", std::to_string(functions.pid()), "-f", "json", "--yes", "0.5", "100"});
  EXPECT_TRUE(eventually([] { return anything_loaded(); }, 10));
  sleep_seconds(0.5);
  functions.go();
  ASSERT_EQ(functions.wait(60), 0);
  ASSERT_EQ(trace.wait(20), 0) << "ends with its process" << trace.err();
  uint64_t sum = 0;
  size_t intervals = 0;
  for (const json& interval : json_lines(trace.out())) {
    intervals++;
    EXPECT_NEAR(interval["seconds"].get<double>(), 0.5, interval["last"].get<bool>() ? 0.5 : 0.1);
    for (const json& row : interval["rows"]) sum += count_of(row);
  }
  EXPECT_GE(intervals, 4U);
  EXPECT_EQ(sum, 20000U);
}

TEST(TraceCommand, CtrlCPrintsWhatWasGatheredAndLeavesNothingBehind) {
  Program trace({NZ_AGENT, "trace", "runq", "offcpu", "--yes"});
  ASSERT_TRUE(eventually([] { return anything_loaded(); }, 10));
  sleep_seconds(1);
  const auto begin = std::chrono::steady_clock::now();
  trace.signal(SIGINT);
  EXPECT_EQ(trace.wait(10), 0);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
  EXPECT_TRUE(says(trace.out(), {"TARGET", "runq", "after wakeup", "P99.9", "@"}));
  EXPECT_TRUE(eventually([] { return !anything_loaded(); }, 5));
}

TEST(TraceCommand, AHundredProbesAreGoneWithinThreeTenthsOfASecond) {
  Program trace({NZ_AGENT, "trace", "func:libc.so.6:*mem*", "func:libc.so.6:*str*", "--yes", "-f",
                 "json", "--pictures", "0"});
  ASSERT_TRUE(eventually([] { return anything_loaded(); }, 10)) << trace.err();
  sleep_seconds(1.5);
  ASSERT_TRUE(trace.running()) << trace.err();
  const auto begin = std::chrono::steady_clock::now();
  trace.signal(SIGINT);
  EXPECT_EQ(trace.wait(10), 0);
  const double took =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  RecordProperty("seconds", std::to_string(took));
  // Promised are 0.3 s (scripts/bench cli measures); no test fails on a busy machine's clock.
  EXPECT_LT(took, 3.0);
}

TEST(TraceCommand, KillNineLeavesNothingBehind) {
  Program trace({NZ_AGENT, "trace", "runq", "func:libc:malloc", "--yes"});
  ASSERT_TRUE(eventually([] { return anything_loaded(); }, 10));
  sleep_seconds(0.5);
  trace.signal(SIGKILL);
  trace.wait(10);
  EXPECT_TRUE(eventually([] { return !anything_loaded(); }, 5));
}

TEST(TraceCommand, WhatIsTooDearIsRefusedBeforeItIsAttached) {
  Workload functions("nz-functions", {"--call", "nz_entry_push", "--count", "2000000000"});
  functions.go();
  const Outcome o = run(
      {"trace", std::string("func:") + NZ_WORKLOADS + "/nz-functions:nz_entry_push", "-d", "5"});
  EXPECT_EQ(o.code, 10) << o.err;
  EXPECT_TRUE(says(o.err, {"% of a core", "--yes"}));
  EXPECT_TRUE(o.out.empty());
}

TEST(TraceCommand, TheBreakerDetachesWhatBecomesDear) {
  Workload functions("nz-functions", {"--call", "nz_entry_push", "--count", "2000000000"});
  Program trace({NZ_AGENT, "trace",
                 std::string("func:") + NZ_WORKLOADS + "/nz-functions:nz_entry_push", "-d", "30"});
  ASSERT_TRUE(eventually([] { return anything_loaded(); }, 10));
  sleep_seconds(0.7);
  functions.go();
  EXPECT_EQ(trace.wait(10), 10) << trace.err();
  EXPECT_TRUE(says(trace.err(), {"detached", "% of a core"}));
  EXPECT_TRUE(says(trace.out(), {"nz_entry_push"})) << "what was gathered";
}

TEST(TraceCommand, WorksBesideARunningAgent) {
  Agent agent("host: true\n");
  Trace trace({"runq"});
  sleep_seconds(1);
  EXPECT_GT(count_of(row_of(trace.end(), "runq", "after wakeup")), 0U);
  EXPECT_EQ(trace.code(), 0);
  EXPECT_TRUE(agent.program().running());
}

TEST(TraceCommand, WrongOnesGetTextsThatHelpAndTheirExitCodes) {
  EXPECT_EQ(run({"trace"}).code, 2);
  EXPECT_TRUE(says(run({"trace", "runqueue"}).err, {"one of runq"}));
  EXPECT_EQ(run({"trace", "runq", "0"}).code, 2);
  EXPECT_EQ(run({"trace", "runq", "--slower", "fast"}).code, 2);
  EXPECT_EQ(run({"trace", "runq", "--by", "colour"}).code, 2);
  EXPECT_EQ(run({"trace", "runq", "--by", "pid,tid"}).code, 2);
  EXPECT_EQ(run({"trace", "runq", "-p", "4194999"}).code, 9);
  EXPECT_EQ(run({"trace", "func:/no/such:f"}).code, 9);
  const Outcome o = run({"trace", "func:libc:mallocc", "-d", "1"});
  EXPECT_EQ(o.code, 9);
  EXPECT_TRUE(says(o.err, {"malloc"}));
}

TEST(TraceCommand, AReaderThatHasGoneEndsIt) {
  Program shell({"/bin/sh", "-c", std::string(NZ_AGENT) + " trace runq 0.2 --yes | head -1"});
  EXPECT_EQ(shell.wait(15), 0);
  EXPECT_TRUE(eventually([] { return !anything_loaded(); }, 5));
}

TEST(TraceCommand, AFullDiskIsSaid) {
  Program shell({"/bin/sh", "-c", std::string(NZ_AGENT) + " trace runq 0.2 --yes > /dev/full"});
  EXPECT_EQ(shell.wait(15), 1);
  EXPECT_TRUE(says(shell.err(), {"cannot be written"}));
}

}  // namespace
}  // namespace nz::live
