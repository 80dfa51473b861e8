// What the two plans of the SQLite probe cannot do, and how they say so; the choice between them;
// and everything that must not get lost on the way from one to the other.
#include <algorithm>
#include <csignal>
#include <cstdlib>

#include "tests/live/harness/machine.h"
#include "tests/live/sqlite_observed.h"

namespace nz::live {
namespace {

constexpr const char* kOuter = "SELECT value_of(id) FROM item WHERE id <= 3";
constexpr const char* kInner = "SELECT value FROM item WHERE id = ?1";

TEST(SqlitePairing, InterleavedStatementsAreExactByStep) {
  const Observed run =
      run_with(agent_with("step"), "nz-sqlite", {"--mode", "interleave", "--count", "500"});
  expect_texts(run);
  EXPECT_EQ(run.histogram(kInside).count(), 1000U);
  EXPECT_EQ(run.histogram(kOpen).count(), 1000U);
  EXPECT_EQ(run.incomplete("ambiguous") + run.incomplete("partial"), 0);
}

TEST(SqlitePairing, InterleavedStatementsAreAmbiguousByBoundary) {
  const Observed run =
      run_with(agent_with("boundary"), "nz-sqlite", {"--mode", "interleave", "--count", "500"});
  expect_texts(run);
  EXPECT_EQ(run.value(kStatements), 1000);
  EXPECT_EQ(run.incomplete("ambiguous"), 1000);
  EXPECT_EQ(run.histogram(kOpen).count(), 0U);
}

TEST(SqlitePairing, SqlInsideFunctionsIsNested) {
  const Observed run =
      run_with(agent_with("step"), "nz-sqlite", {"--mode", "nested", "--count", "200"});
  expect_texts(run);
  EXPECT_EQ(run.value(kStatements), 200);
  EXPECT_EQ(run.incomplete("nested"), run.truth["nested_steps"].get<double>());
  EXPECT_EQ(run.value("nearzero_sqlite_steps_total"), run.truth["steps"].get<double>());
  EXPECT_LE(static_cast<double>(run.histogram(kInside).sum_ns), run.truth["step_ns"].get<double>());
}

// A probe cannot wait for a page: what it does not read is no end of a statement.
TEST(SqlitePairing, AStatementWhoseMemoryIsAwayForAMomentIsCountedOnce) {
  const Observed run =
      run_with(agent_with("step"), "nz-sqlite", {"--mode", "away", "--count", "100"});
  expect_texts(run);
  EXPECT_EQ(run.value(kStatements), 100);
  EXPECT_EQ(run.value("nearzero_sqlite_rows_total"), 300);
  EXPECT_EQ(run.incomplete("partial"), 100) << "it may have been two";
}

TEST(SqlitePairing, TheBoundaryPlanCountsInnerStatementsToo) {
  const Observed run =
      run_with(agent_with("boundary"), "nz-sqlite", {"--mode", "nested", "--count", "200"});
  EXPECT_EQ(run.statements(kOuter), 200);
  EXPECT_EQ(run.statements(kInner), 600);
  EXPECT_EQ(run.incomplete("ambiguous"), 800);
}

TEST(SqliteTexts, MoreThanTheLimitAreOther) {
  stop_shared_agents();
  // The workload first: its making of the database must not take ids.
  Workload workload("nz-sqlite", {"--mode", "texts", "--count", "20", "--texts", "30", "--threads",
                                  "2", "--truth"});
  Agent agent(
      "host: false\nlimits: {statements: 8}\ntargets: [{name: db, match: {exe: \"" NZ_WORKLOADS
      "/nz-sqlite\"}, "
      "scheduler: false, sqlite: {plan: step}}]");
  expect_attached(agent, workload.pid());
  workload.go();
  ASSERT_EQ(workload.wait(60), 0);
  agent.settle();
  const Observed run{workload.json(), agent.fetch()};
  const double other = run.value(kStatements, {{"digest", "other"}});
  EXPECT_EQ(run.value(kStatements), 2 * 20 * 30);
  EXPECT_EQ(other, 2 * 20 * (30 - 7));  // id 0 is "other" itself
  EXPECT_EQ(run.value("nearzero_drops_total", {{"cause", "statement_recorded_as_other"}}), other);
  EXPECT_EQ(run.value("nearzero_drops_total", {{"cause", "statement_text_unreadable"}}), 0);
}

TEST(SqliteTexts, StatementsWithoutATextAreOther) {
  const Observed run =
      run_with(agent_with("step"), "nz-sqlite", {"--mode", "blob", "--count", "100"});
  EXPECT_EQ(run.value(kStatements, {{"digest", "other"}}), 100);
  EXPECT_EQ(run.value(kStatements), 101);
  EXPECT_EQ(run.value("nearzero_drops_total", {{"cause", "statement_text_unreadable"}}), 100);
}

// The kernel tells statements apart, userspace shows which are one: they must be of one mind.
TEST(SqliteTexts, DigestsOfKernelAndUserspaceAgree) {
  const std::vector<std::string> texts = {
      "SELECT id FROM t1 WHERE id = 1",
      "SELECT id FROM t1 WHERE id = -0x1F AND name <> 'it''s' AND id < 1.5e3",
      "SELECT id -- it's 1 comment\n FROM t1",
      "/* trace 12 */ SELECT name FROM t1 /**/ WHERE id IN (1, 2)",
      "SELECT \"col 1\", `größe2`, [a 3] FROM t2",
      "SELECT 'größe', x'AB01', name FROM t1 WHERE id = ?1 OR id = :p2",
      "SELECT name AS " + std::string(300, 'x') + " FROM t1",
      "SELECT '" + std::string(300, 'y') + "', id FROM t1",
  };
  const std::string script =
      temporary_file("texts.py",
                     "import json, os, signal, sqlite3, sys\n"
                     "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})\n"
                     "print(f'ready pid={os.getpid()}', file=sys.stderr, flush=True)\n"
                     "signal.sigwait({signal.SIGUSR2})\n"
                     "c = sqlite3.connect(':memory:', isolation_level=None)\n"
                     "c.execute('CREATE TABLE t1(id INTEGER PRIMARY KEY, name TEXT)')\n"
                     "c.execute('CREATE TABLE t2(\"col 1\", `größe2`, [a 3])')\n"
                     "for t in json.loads(sys.argv[1]): c.execute(t, {'1': 1, 'p2': 2} if ':p2' in "
                     "t else ()).fetchall()\n");
  Program program({"/usr/bin/python3", script, nlohmann::json(texts).dump()});
  ASSERT_TRUE(program.wait_for_text("ready pid=", 10)) << program.err();
  Agent agent("host: false\ntargets: [{name: db, match: {pid: " + std::to_string(program.pid()) +
              "}, scheduler: false, sqlite: {plan: step}}]");
  expect_attached(agent, program.pid());
  program.signal(SIGUSR2);
  ASSERT_EQ(program.wait(20), 0) << program.err();
  agent.settle();
  const LiveData data = agent.fetch();
  // Those that do the same are one.
  std::map<std::string, double> wanted;
  for (const std::string& text : texts) wanted[analysis::display_sql(text.substr(0, 255))] += 1;
  for (const std::string& text : texts) {
    const std::string display = analysis::display_sql(text.substr(0, 255));
    EXPECT_EQ(
        value_of(data, kStatements,
                 {{"digest", analysis::digest_of_display(display)}, {"statement", shown(text)}}),
        wanted[display])
        << text;
  }
  EXPECT_EQ(value_of(data, kStatements, {}), static_cast<double>(texts.size() + 2));
}

// ---- the choice
// -------------------------------------------------------------------------------------

std::string plan_in_use(const Agent& agent) {
  const LiveData data = agent.fetch();
  for (const char* plan : {"step", "boundary"}) {
    if (value_of(data, "nearzero_sqlite_plan", {{"plan", plan}}) == 1) return plan;
  }
  return "none";
}

// So many lookups a second take more than the budget: here the breaker is out of the way.
std::string automatic() {
  return "host: false\noverhead: {calibrate: false, duty_cycle: false, breaker_factor: 1000}\n"
         "targets: [{name: db, match: {exe: \"" NZ_WORKLOADS
         "/nz-sqlite\"}, scheduler: false, sqlite: true}]";
}

// Lookups for 6 s, scans for 6 s, lookups for 6 s.
TEST(SqlitePlan, FollowsTheLoadAndLosesNothingSilently) {
  stop_shared_agents();
  Workload workload("nz-sqlite", {"--mode", "phases", "--count", "1", "--pause-ms", "6000",
                                  "--threads", "2", "--truth"});
  Agent agent(automatic(), true);
  expect_attached(agent, workload.pid());
  EXPECT_EQ(plan_in_use(agent), "step");
  workload.go();
  sleep_seconds(4);
  EXPECT_EQ(plan_in_use(agent), "step") << "lookups";
  EXPECT_TRUE(eventually([&] { return plan_in_use(agent) == "boundary"; }, 8)) << "scans";
  EXPECT_TRUE(eventually([&] { return plan_in_use(agent) == "step"; }, 12)) << "lookups again";
  EXPECT_EQ(workload.wait(60), 0);
  agent.settle();
  const Observed run{workload.json(), agent.fetch()};
  const auto generated = run.truth["statements"].get<double>();
  const double recorded = run.value(kStatements);
  EXPECT_LE(recorded, generated);
  EXPECT_GE(recorded + run.incomplete("partial"), generated);
  // At most one statement of each of two threads is under way at each of two changes.
  EXPECT_LE(run.incomplete("partial"), 8);
  EXPECT_EQ(run.incomplete("nested"), 0);
  EXPECT_EQ(run.value("nearzero_drops_total", {{"probe", "sqlite"}}), 0);
  printf("  %.0f statements, %.0f recorded, partial %.0f, ambiguous %.0f, not sampled %.0f\n",
         generated, recorded, run.incomplete("partial"), run.incomplete("ambiguous"),
         run.incomplete("not_sampled"));
}

// The step plan sees it begin, the boundary plan, which has seen others of its thread, sees it end.
TEST(SqlitePlan, AStatementThatIsOpenOverAChangeIsCountedOnce) {
  stop_shared_agents();
  Workload workload("nz-sqlite",
                    {"--mode", "held", "--count", "1", "--pause-ms", "20000", "--truth"});
  Agent agent(automatic(), true);
  expect_attached(agent, workload.pid());
  workload.go();
  const auto by_boundary = [&] {
    return agent.control("status").find("plan boundary") != std::string::npos;
  };
  ASSERT_TRUE(eventually(by_boundary, 12));
  sleep_seconds(0.1);  // scans by that plan, and before its first sampling window
  workload.go();
  EXPECT_EQ(workload.wait(60), 0) << workload.err();
  agent.settle();
  const Observed run{workload.json(), agent.fetch()};
  EXPECT_EQ(run.statements("SELECT id FROM item WHERE id <= 3"), 1);
  const auto generated = run.truth["statements"].get<double>();
  EXPECT_LE(run.value(kStatements), generated);
  EXPECT_GE(run.value(kStatements) + run.incomplete("partial"), generated);
  EXPECT_GE(run.incomplete("partial"), 1) << "nobody knows how long it was open";
}

// Each look is shorter than a drain interval: the plan is chosen at its end.
TEST(SqlitePlan, FollowsTheLoadInLooksOfAHundredMilliseconds) {
  stop_shared_agents();
  Workload workload("nz-sqlite",
                    {"--mode", "phases", "--count", "1", "--pause-ms", "11000", "--threads", "1"});
  Agent agent(
      "host: false\noverhead: {calibrate: false, per_target: 0.1%, breaker_factor: 1000}\n"
      "targets: [{name: db, match: {exe: \"" NZ_WORKLOADS
      "/nz-sqlite\"}, scheduler: false, sqlite: true}]",
      true);
  expect_attached(agent, workload.pid());
  workload.go();
  ASSERT_TRUE(eventually(
      [&] { return value_of(agent.fetch(), "nearzero_probe_duty_ratio", {}) == 0.02; }, 12));
  EXPECT_EQ(plan_in_use(agent), "step") << "lookups";
  EXPECT_TRUE(eventually([&] { return plan_in_use(agent) == "boundary"; }, 20)) << "scans";
  EXPECT_TRUE(eventually([&] { return plan_in_use(agent) == "step"; }, 30)) << "lookups again";
}

TEST(SqlitePlan, SamplingWindowsSeeTheInsideOfReadsAndCountNothing) {
  Agent& agent = agent_with("boundary");
  // Some seconds also on a fast machine: there are a few windows a second.
  Workload workload("nz-sqlite", {"--mode", "scan", "--count", "60000", "--truth"});
  expect_attached(agent, workload.pid());
  agent.settle();
  const LiveData before = agent.fetch();
  workload.go();
  ASSERT_EQ(workload.wait(120), 0) << workload.err();
  agent.settle();
  const LiveData after = agent.fetch();
  const Observed run{workload.json(), after.since(before)};
  EXPECT_EQ(run.value(kStatements), 60000);
  EXPECT_EQ(run.value("nearzero_sqlite_steps_total"), 0);
  EXPECT_GT(run.histogram(kInside).count(), 0U);
  EXPECT_LT(run.histogram(kInside).count(), 12000U);
  const double ratio = value_of(after, "nearzero_sqlite_sampled_inside_ratio", {});
  // The program does nothing between two rows; but the probe's own entry falls there, and a run has
  // only a few windows (0.43 seen with three): a wide margin.
  const double dear = trap_factor();
  EXPECT_GT(ratio, 0.2 / dear);
  EXPECT_LE(ratio, 1);
  // The probes of a thousand rows are in a sample, less what is known to be theirs.
  EXPECT_LT(quantile_ns(run.histogram(kInside), 0.5),
            10 * dear * quantile_ns(run.histogram(kOpen), 0.5));
  printf("  %.1f s, %llu samples, p50 inside %.0f ns, p50 open %.0f ns, ratio %.2f\n",
         run.truth["wall_ns"].get<double>() / 1e9,
         static_cast<unsigned long long>(run.histogram(kInside).count()),
         quantile_ns(run.histogram(kInside), 0.5), quantile_ns(run.histogram(kOpen), 0.5), ratio);
}

// Returns that never come (detached in the middle of a step) must not confuse what follows.
TEST(SqlitePlan, SurvivesOffAndOnInTheMiddleOfStatements) {
  stop_shared_agents();
  for (const char* plan : {"step", "boundary"}) {
    Workload workload("nz-sqlite", {"--mode", "phases", "--count", "1", "--pause-ms", "1500",
                                    "--threads", "2", "--truth"});
    Agent agent(std::string("host: false\ntargets: [{name: db, match: {exe: \"" NZ_WORKLOADS
                            "/nz-sqlite\"}, scheduler: "
                            "false, sqlite: {plan: ") +
                    plan +
                    "}}]\n"
                    "overhead: {calibrate: false, duty_cycle: false, breaker_factor: 1000}",
                true);
    expect_attached(agent, workload.pid());
    workload.go();
    for (int i = 0; i < 6; i++) {
      sleep_seconds(0.2);
      (void)agent.control("off");
      (void)agent.control("on");
    }
    // From here on everything is complete.
    agent.settle();
    const Observed begin{{}, agent.fetch()};
    EXPECT_EQ(workload.wait(60), 0);
    agent.settle();
    const LiveData after = agent.fetch();
    const Observed run{workload.json(), after.since(begin.data)};
    const Observed all{workload.json(), after};
    EXPECT_LE(all.value(kStatements), run.truth["statements"].get<double>());
    EXPECT_GT(run.value(kStatements), 1000);
    EXPECT_EQ(all.incomplete("nested"), 0) << plan;
    EXPECT_LE(all.incomplete("ambiguous"), 12) << plan;
    EXPECT_LE(run.incomplete("ambiguous"), 2) << plan;
    EXPECT_LE(run.incomplete("partial"), 4) << plan;
    EXPECT_NEAR(static_cast<double>(run.histogram(kOpen).count()), run.value(kStatements), 6)
        << plan;
  }
}

TEST(SqlitePlan, AStatementThatIsOpenOverOffAndOnIsNotCountedTwice) {
  stop_shared_agents();
  Workload workload("nz-sqlite", {"--mode", "cursor", "--count", "1", "--pause-ms", "1500"});
  Agent agent("host: false\ntargets: [{name: db, match: {exe: \"" NZ_WORKLOADS
              "/nz-sqlite\"}, scheduler: false, sqlite: {plan: step}}]");
  expect_attached(agent, workload.pid());
  workload.go();
  sleep_seconds(0.2);  // it stands at its first row
  (void)agent.control("off");
  (void)agent.control("on");
  EXPECT_EQ(workload.wait(30), 0);
  agent.settle();
  const Observed run{workload.json(), agent.fetch()};
  EXPECT_LE(run.value(kStatements), 1);
  EXPECT_GE(run.value(kStatements) + run.incomplete("partial"), 1);
}

TEST(SqlitePlan, ConnectionsOfAProcessThatEndsAreNotOpen) {
  stop_shared_agents();
  Workload workload("nz-sqlite",
                    {"--mode", "cursor", "--count", "1", "--pause-ms", "20000", "--threads", "3"});
  Agent agent("host: false\ntargets: [{name: db, match: {exe: \"" NZ_WORKLOADS
              "/nz-sqlite\"}, scheduler: false, sqlite: {plan: "
              "step}}]");
  expect_attached(agent, workload.pid());
  workload.go();
  const auto open = [&] { return value_of(agent.fetch(), "nearzero_sqlite_open_connections", {}); };
  EXPECT_TRUE(eventually([&] { return open() == 3; }, 5)) << open();
  workload.signal(SIGKILL);
  EXPECT_TRUE(eventually([&] { return open() == 0; }, 5)) << open();
}

TEST(SqlitePlan, CountsConnectionsFromBeforeTheAttach) {
  stop_shared_agents();
  Workload workload("nz-sqlite",
                    {"--mode", "cursor", "--count", "1", "--pause-ms", "6000", "--threads", "3"});
  workload.go();
  sleep_seconds(0.5);
  Agent agent("host: false\ntargets: [{name: db, match: {exe: \"" NZ_WORKLOADS
              "/nz-sqlite\"}, scheduler: false, sqlite: {plan: "
              "step}}]");
  const auto open = [&] { return value_of(agent.fetch(), "nearzero_sqlite_open_connections", {}); };
  EXPECT_EQ(open(), 3);
  EXPECT_EQ(workload.wait(30), 0);
  EXPECT_TRUE(eventually([&] { return open() == 0; }, 5)) << open();
  agent.settle();
  // The three scans began unseen: counted, without durations.
  const Observed run{{}, agent.fetch()};
  EXPECT_EQ(run.value(kStatements), 3);
  EXPECT_EQ(run.incomplete("partial"), 3);
  EXPECT_EQ(run.histogram(kInside).count(), 0U);
}

TEST(SqliteDegraded, AStrippedBinarySaysWhatToDo) {
  stop_shared_agents();
  const std::string stripped = temporary_file("nz-stripped", "");
  ASSERT_EQ(std::system(("objcopy --strip-all " NZ_WORKLOADS "/nz-sqlite-static " + stripped +
                         " && chmod +x " + stripped)
                            .c_str()),
            0);
  Program program({stripped, "--mode", "lookup", "--count", "1000", "--wait"});
  ASSERT_TRUE(program.wait_for_text("ready pid=", 10));
  Agent agent("targets: [{name: db, match: {pid: " + std::to_string(program.pid()) +
              "}, sqlite: {library: " + stripped + "}}]");
  ASSERT_TRUE(agent.has_member(program.pid()));
  EXPECT_EQ(
      value_of(agent.fetch(), "nearzero_probe_attached", {{"probe", "sqlite"}, {"target", "db"}}),
      0);
  const std::string health = agent.get("/healthz");
  EXPECT_NE(health.find("has no symbol sqlite3_step (stripped)"), std::string::npos) << health;
  EXPECT_NE(health.find("debug symbols"), std::string::npos) << health;
  // The rest goes on.
  EXPECT_EQ(value_of(agent.fetch(), "nearzero_probe_attached",
                     {{"probe", "scheduler"}, {"target", "host"}}),
            1);
  program.signal(SIGUSR2);
  EXPECT_EQ(program.wait(20), 0);
}

}  // namespace
}  // namespace nz::live
