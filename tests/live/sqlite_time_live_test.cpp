// Times of the SQLite probe against the program's own clock and against injected delays.
#include <algorithm>
#include <csignal>

#include "tests/live/harness/machine.h"
#include "tests/live/sqlite_observed.h"

namespace nz::live {
namespace {

constexpr double kMs = 1e6;  // ns

// What the probe may add to the program's own clock, ns.
double probe_ns() { return 2000 * trap_factor(); }

// A step of median length is less than 2 us shorter than by the program's own clock, which has the
// whole probe in it. The difference of the two sums would also have what preempts the thread inside
// the probe.
void expect_steps(const Observed& run) {
  const auto inside = static_cast<double>(run.histogram(kInside).sum_ns);
  EXPECT_GE(inside, run.truth["steps"].get<double>() *
                        (run.truth["step_p50_ns"].get<double>() - probe_ns()));
}

void expect_quantiles(const Observed& run) {
  const analysis::Histogram inside = run.histogram(kInside);
  for (const int percent : {50, 90}) {
    const auto truth = run.truth["step_p" + std::to_string(percent) + "_ns"].get<double>();
    const double measured = quantile_ns(inside, percent / 100.0);
    // 5 % plus the probe's cost; the program's clock includes the probe, the probe's own does not.
    EXPECT_NEAR(measured, truth, truth * 0.05 + probe_ns()) << "p" << percent;
    printf("  p%d: %.0f ns, own clock %.0f ns\n", percent, measured, truth);
  }
}

TEST(SqliteTime, LookupsInsideAgainstTheProgramsClock) {
  const Observed run =
      run_with(agent_with("step"), "nz-sqlite", {"--mode", "lookup", "--count", "20000"});
  const auto truth = run.truth["step_ns"].get<double>();
  const auto inside = static_cast<double>(run.histogram(kInside).sum_ns);
  const auto steps = run.truth["steps"].get<double>();
  EXPECT_LE(inside, truth);
  expect_steps(run);
  printf("  inside %.0f ns a step, own clock %.0f\n", inside / steps, truth / steps);
  expect_quantiles(run);
}

TEST(SqliteTime, InsertsInsideAgainstTheProgramsClock) {
  const Observed run =
      run_with(agent_with("step"), "nz-sqlite", {"--mode", "insert", "--count", "500"});
  EXPECT_LE(static_cast<double>(run.histogram(kInside).sum_ns), run.truth["step_ns"].get<double>());
  expect_quantiles(run);
}

// Each statement is a thousand steps: the sum over them must hold, too.
TEST(SqliteTime, ScansInsideAgainstTheProgramsClock) {
  const Observed run =
      run_with(agent_with("step"), "nz-sqlite", {"--mode", "scan", "--count", "30"});
  const auto truth = run.truth["step_ns"].get<double>();
  const auto inside = static_cast<double>(run.histogram(kInside).sum_ns);
  EXPECT_LE(inside, truth);
  expect_steps(run);
}

TEST(SqliteTime, InsertsOfTheBoundaryPlanAgainstTheProgramsClock) {
  const Observed run =
      run_with(agent_with("boundary"), "nz-sqlite", {"--mode", "insert", "--count", "500"});
  EXPECT_EQ(run.histogram(kInside).count(), 500U);
  expect_quantiles(run);
}

class EachPlan : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(SqliteTime, EachPlan, ::testing::Values("step", "boundary"));

TEST_P(EachPlan, ACursorHeldOpenIsNoTimeInside) {
  const Observed run = run_with(agent_with(GetParam()), "nz-sqlite",
                                {"--mode", "cursor", "--count", "5", "--pause-ms", "100"});
  const analysis::Histogram open = run.histogram(kOpen);
  const analysis::Histogram inside = run.histogram(kInside);
  EXPECT_EQ(open.count(), 5U);
  EXPECT_GE(quantile_ns(open, 0), 100 * kMs * 0.9);
  EXPECT_GE(static_cast<double>(open.sum_ns), 5 * 100 * kMs);
  EXPECT_EQ(inside.count(), GetParam() == std::string("step") ? 5U : 0U);
  // 1,000 rows of a few microseconds each.
  EXPECT_LT(static_cast<double>(inside.sum_ns), 5 * 50 * kMs);
  EXPECT_LE(static_cast<double>(inside.sum_ns), run.truth["step_ns"].get<double>());
}

TEST_P(EachPlan, ASlowFsyncIsInsideAndIsASyncWait) {
  Agent& agent = agent_with(GetParam());
  Workload workload("nz-sqlite", {"--mode", "insert", "--count", "10", "--truth"});
  expect_attached(agent, workload.pid());
  Program strace({"strace", "-f", "-p", std::to_string(workload.pid()), "-e",
                  "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:delay_enter=20000", "-o",
                  "/dev/null"});
  ASSERT_TRUE(strace.wait_for_text("attached", 10)) << strace.err();
  agent.settle();
  const LiveData before = agent.fetch();
  workload.go();
  EXPECT_EQ(workload.wait(60), 0) << workload.err();
  agent.settle();
  const Observed run{workload.json(), agent.fetch().since(before)};
  const Labels insert{{"statement", "INSERT INTO written(value) VALUES (?)"}};
  const analysis::Histogram inside = run.histogram(kInside, insert);
  EXPECT_EQ(inside.count(), 10U);
  EXPECT_GE(quantile_ns(inside, 0), 20 * kMs * 0.9);
  EXPECT_GE(static_cast<double>(inside.sum_ns), 10 * 20 * kMs);
  const analysis::Histogram sync =
      run.histogram("nearzero_sqlite_wait_seconds", {{"kind", "sync"}});
  EXPECT_GE(sync.count(), 10U);
  EXPECT_GE(static_cast<double>(sync.sum_ns), 10 * 20 * kMs);
  EXPECT_GE(quantile_ns(sync, 0), 20 * kMs * 0.9);
}

TEST_P(EachPlan, ALockedDatabaseIsABusyWait) {
  const Observed run = run_with(agent_with(GetParam()), "nz-sqlite",
                                {"--mode", "busy", "--count", "4", "--pause-ms", "60"});
  expect_texts(run);
  EXPECT_EQ(run.value(kStatements), 12);
  const analysis::Histogram busy =
      run.histogram("nearzero_sqlite_wait_seconds", {{"kind", "busy"}});
  EXPECT_GE(busy.count(), 4U);
  // The thread that releases the lock starts a little before the insert does.
  EXPECT_GE(static_cast<double>(busy.sum_ns), 4 * 60 * kMs * 0.7);
  EXPECT_LE(static_cast<double>(busy.sum_ns), run.truth["step_ns"].get<double>());
  const analysis::Histogram inside =
      run.histogram(kInside, {{"statement", "INSERT INTO written(value) VALUES (?)"}});
  EXPECT_EQ(inside.count(), 4U);
  EXPECT_GE(inside.sum_ns, busy.sum_ns);
}

// 1,000 pages in the log make a checkpoint; one more follows when the last connection closes.
TEST_P(EachPlan, CheckpointsAreSeen) {
  const Observed run =
      run_with(agent_with(GetParam()), "nz-sqlite", {"--mode", "insert", "--count", "1100"});
  EXPECT_GE(run.wait_count("checkpoint"), 2);
  EXPECT_LE(run.wait_count("checkpoint"), 4);
  EXPECT_GE(run.wait_count("sync"), 1100);
}

}  // namespace
}  // namespace nz::live
