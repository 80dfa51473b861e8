// Each small program with small counts: what it prints must be what was asked for.

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "tests/workloads/common/run_program.h"

namespace {

using nz::workload::report_of;

bool exists(const std::string& program) {
  return access((std::string(NZ_WORKLOAD_DIR "/") + program).c_str(), X_OK) == 0;
}

TEST(Pingpong, SwitchesTwicePerRoundTrip) {
  const auto r = report_of("./nz-pingpong --count 2000");
  EXPECT_EQ(r["round_trips"], 2000);
  // Both threads are on one CPU, so each of the two reads of a round trip blocks, give or take
  // preemption between a write and the following read.
  EXPECT_GE(r["voluntary_switches"].get<long>() + r["involuntary_switches"].get<long>(), 3800);
  EXPECT_GT(r["ns_per_round_trip"], 0);
}

TEST(Tcp, EveryByteComesBack) {
  const auto r = report_of("./nz-tcp --count 1000");
  EXPECT_EQ(r["round_trips"], 1000);
  EXPECT_EQ(r["failed"], 0);
  EXPECT_GT(r["ns_per_round_trip"], 0);
}

TEST(TcpPoll, EachReadIsInVainAndNotFasterThanAsked) {
  const auto r = report_of("./nz-tcp-poll --count 5000 --rate 50000");
  EXPECT_EQ(r["calls"], 5000);
  EXPECT_EQ(r["failed"], 0);
  EXPECT_LE(r["calls_per_second"], 50'000);
  EXPECT_GT(r["ns_per_call"], 0);
}

TEST(Hot, ComputesInTwoFunctionsAsAsked) {
  const auto r =
      report_of("./nz-hot --share 0.7 --seconds 0.3 --then-share 0.2 --then-seconds 0.3");
  ASSERT_EQ(r["phases"].size(), 2U);
  for (const double share : {0.7, 0.2}) {
    const auto& phase = r["phases"][share == 0.7 ? 0 : 1];
    const double match = phase["match_ns"];
    const double price = phase["price_ns"];
    EXPECT_NEAR(match / (match + price), share, 0.1);
    EXPECT_GE(match + price, 0.3e9);
  }
  EXPECT_GE(report_of("./nz-hot --gaps 1 --seconds 0.05")["taken_ns"], 40'000'000);
}

TEST(Syscalls, CountsCallsAndErrors) {
  for (const char* mode : {"getppid", "read"}) {
    const auto r = report_of(std::string("./nz-syscalls --count 1000 --threads 2 --mode ") + mode);
    EXPECT_EQ(r["calls"], 2000);
    EXPECT_EQ(r["errors"], 0);
  }
  EXPECT_EQ(report_of("./nz-syscalls --count 1000 --mode open-enoent")["errors"], 1000);
}

TEST(Functions, AllReturnTheRightValue) {
  if (!exists("nz-functions")) GTEST_SKIP() << "x86-64 only";
  for (const char* name :
       {"nz_entry_push", "nz_entry_endbr", "nz_entry_sub_call", "nz_entry_sub_push",
        "nz_entry_mov_push", "nz_entry_plain", "nz_entry_nop5", "nz_entry_loop",
        "nz_leaf_redzone_nop5", "nz_recursive", "nz_outer", "nz_spin"}) {
    const auto r = report_of(std::string("./nz-functions --count 500 --threads 2 --call ") + name);
    EXPECT_EQ(r["calls"], 1000) << name;
    EXPECT_EQ(r["wrong"], 0) << name;
  }
  EXPECT_EQ(report_of("./nz-functions --call nz_recursive --depth 9 --count 10")["activations"],
            100);
  const auto spin = report_of("./nz-functions --call nz_spin --spin-ns 20000 --count 50 --truth");
  EXPECT_GE(spin["sum_ns"], 50 * 20000);
}

TEST(Names, AllReturnTheRightValue) {
  if (!exists("nz-names")) GTEST_SKIP() << "x86-64 only";
  for (const char* program : {"./nz-names", "./nz-names-fixed", "./nz-names-static"}) {
    const auto r = report_of(std::string(program) + " --count 100");
    EXPECT_EQ(r["calls"], 100) << program;
    EXPECT_EQ(r["wrong"], 0) << program;
  }
}

TEST(Unwind, EveryExceptionArrives) {
  const auto r = report_of("./nz-unwind --exceptions 500 --longjmps 400 --returns 300");
  EXPECT_EQ(r["exceptions"], 500);
  EXPECT_EQ(r["longjmps"], 400);
  EXPECT_EQ(r["returns"], 300);
  EXPECT_EQ(r["right"], true);
}

TEST(ThreadDeath, CountsTheDead) {
  const auto r = report_of("./nz-thread-death --count 50 --survivors 20");
  EXPECT_EQ(r["entered"], 70);
  EXPECT_EQ(r["died"], 50);
  EXPECT_EQ(r["returned"], 20);
}

TEST(Migrate, KernelAgreesOnRunTime) {
  const auto r = report_of("./nz-migrate --threads 4 --count 20 --burn-us 500");
  EXPECT_EQ(r["rounds"], 80);
  EXPECT_EQ(r["threads"].size(), 4u);
  EXPECT_GE(r["run_ns"], 80 * 500'000);
}

struct SqliteCase {
  const char* arguments;
  uint64_t operations, statements, steps, rows, compiles;
};

class SqliteModes : public ::testing::TestWithParam<SqliteCase> {};

TEST_P(SqliteModes, CountsAreExact) {
  const SqliteCase& want = GetParam();
  for (const char* program : {"nz-sqlite", "nz-sqlite-static"}) {
    if (!exists(program)) continue;
    const auto r = report_of(std::string("./") + program + " --truth " + want.arguments);
    EXPECT_EQ(r["operations"], want.operations) << program;
    EXPECT_EQ(r["statements"], want.statements) << program;
    EXPECT_EQ(r["steps"], want.steps) << program;
    EXPECT_EQ(r["rows"], want.rows) << program;
    EXPECT_EQ(r["compiles"], want.compiles) << program;
    EXPECT_EQ(r["opens"], r["closes"]) << program;
    EXPECT_LE(r["step_ns"], r["wall_ns"].get<uint64_t>() * r["threads"].get<uint64_t>());
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, SqliteModes,
    ::testing::Values(
        SqliteCase{"--mode lookup --count 100 --threads 2", 200, 200, 200, 200, 2},
        SqliteCase{"--mode lookup-done --count 100", 100, 100, 200, 100, 1},
        SqliteCase{"--mode lookup --one-transaction --count 100", 100, 102, 102, 100, 3},
        SqliteCase{"--mode insert --count 50", 50, 50, 50, 0, 1},
        SqliteCase{"--mode insert --journal delete --count 10", 10, 10, 10, 0, 1},
        SqliteCase{"--mode scan --count 5", 5, 5, 5005, 5000, 1},
        SqliteCase{"--mode cursor --count 2 --pause-ms 20", 2, 2, 2002, 2000, 1},
        SqliteCase{"--mode select-one --count 100", 100, 100, 200, 100, 1},
        SqliteCase{"--mode txn --inserts 10 --count 20 --threads 2", 40, 480, 480, 0, 6},
        SqliteCase{"--mode exec --count 30", 30, 30, 30, 0, 30},
        SqliteCase{"--mode busy --pause-ms 20 --count 3", 3, 9, 9, 0, 7},
        SqliteCase{"--mode held --pause-ms 0 --count 5", 5, 5, 20, 15, 2},
        SqliteCase{"--mode away --count 5", 5, 5, 20, 15, 1}));

TEST(Sqlite, BusyWaitsForTheHolder) {
  const auto r = report_of("./nz-sqlite --mode busy --pause-ms 30 --count 3 --truth");
  EXPECT_GE(r["max_step_ns"], 25'000'000);
}

class OffcpuModes : public ::testing::TestWithParam<const char*> {};

TEST_P(OffcpuModes, BlocksAsLongAsAsked) {
  const auto r = report_of(std::string("./nz-offcpu --count 10 --ms 4 --mode ") + GetParam());
  EXPECT_EQ(r["waits"], 10);
  // The helper may start its delay before the wait begins, but not much before.
  EXPECT_GE(r["blocked_ns"], 30'000'000);
  EXPECT_LE(r["blocked_ns"], r["wall_ns"]);
}

INSTANTIATE_TEST_SUITE_P(All, OffcpuModes,
                         ::testing::Values("mutex", "condvar", "futex", "nanosleep", "epoll",
                                           "poll", "tcp", "unix", "pipe", "flock"));

TEST(Offcpu, DiskModesWaitForTheDisk) {
  for (const char* mode : {"fdatasync", "direct-read", "pagefault"}) {
    const auto r = report_of(std::string("./nz-offcpu --count 5 --mode ") + mode);
    EXPECT_EQ(r["waits"], 5) << mode;
    EXPECT_GT(r["blocked_ns"], 0) << mode;
  }
}

TEST(AllPrograms, ShowHelpAndRefuseUnknownOptions) {
  for (const char* program : {"nz-pingpong", "nz-syscalls", "nz-unwind", "nz-thread-death",
                              "nz-migrate", "nz-sqlite", "nz-offcpu"}) {
    const std::string at = std::string("cd " NZ_WORKLOAD_DIR " && ./") + program;
    EXPECT_EQ(system((at + " --help | grep -q Examples").c_str()), 0) << program;
    EXPECT_NE(system((at + " --no-such-option >/dev/null 2>&1").c_str()), 0) << program;
  }
}

}  // namespace
