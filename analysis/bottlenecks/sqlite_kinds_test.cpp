// Rules of SQLite: what each says, and where it holds back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/bottlenecks/scene.h"

namespace nz::analysis::test {
namespace {

using ::testing::HasSubstr;

TEST(WalGrowth, NamesTheReaderThatPinsIt) {
  const Labels wal{{"target", "demo"}, {"database", "/data/orders.db"}, {"kind", "wal"}};
  const auto reader = [](const char* comm, const char* database) {
    return Labels{{"target", "demo"}, {"database", database}, {"lock", "read"}, {"comm", comm}};
  };
  Scene s, before;
  before.gauge("nearzero_sqlite_database_bytes", wal, 4e6);
  s.gauge("nearzero_sqlite_database_bytes", wal, 300e6);
  s.gauge("nearzero_sqlite_lock_held_seconds", reader("backup", "/data/orders.db"), 3);
  s.gauge("nearzero_sqlite_lock_held_seconds", reader("report", "/data/orders.db"), 40);
  s.gauge("nearzero_sqlite_lock_held_seconds", reader("elsewhere", "/data/other.db"), 80);
  const auto found = find(s, before);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_THAT(found[0].recommendation, HasSubstr("pinned by a read of report and backup:"));
  EXPECT_EQ(found[0].evidence[1].text, "has the read lock: report: 40 s");
}

// Beside writers a read of milliseconds pins the WAL as well, and one of them is in most looks.
TEST(WalGrowth, NamesNoShortReads) {
  const Labels wal{{"target", "demo"}, {"database", "/data/orders.db"}, {"kind", "wal"}};
  const auto reader = [](const char* comm) {
    return Labels{
        {"target", "demo"}, {"database", "/data/orders.db"}, {"lock", "read"}, {"comm", comm}};
  };
  Scene s, before;
  before.gauge("nearzero_sqlite_database_bytes", wal, 4e6);
  s.gauge("nearzero_sqlite_database_bytes", wal, 300e6);
  s.counter("nearzero_sqlite_lock_seen_total", reader("demo"), 0.9);
  s.counter("nearzero_sqlite_lock_seen_total", reader("report"), 0.8);
  s.gauge("nearzero_sqlite_lock_held_seconds", reader("demo"), 0);
  s.gauge("nearzero_sqlite_lock_held_seconds", reader("report"), 8);
  const auto found = find(s, before);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_THAT(found[0].recommendation, HasSubstr("pinned by a read of report:"));
}

TEST(SqliteWriterContention, NamesWhoWasSeenWithTheLock) {
  Scene s;
  s.us["persist"]["sleep"] = 2'000;
  s.waits["busy"] = {2'000, 1};
  s.gauge(
      "nearzero_sqlite_lock_held_seconds",
      {{"target", "demo"}, {"database", "/data/orders.db"}, {"lock", "write"}, {"comm", "batch"}},
      0.4);
  const auto found = find(s);
  ASSERT_FALSE(found.empty());
  ASSERT_EQ(found[0].kind, "sqlite_writer_contention") << told(found);
  EXPECT_THAT(found[0].recommendation, HasSubstr("batch was seen with the write lock"));
}

// Who commits each few milliseconds has it at hardly any moment, the window's end among them.
TEST(SqliteWriterContention, NamesWhoWasSeenMostOften) {
  Scene s;
  s.us["persist"]["sleep"] = 2'000;
  s.waits["busy"] = {2'000, 1};
  const auto with = [](const char* comm) {
    return Labels{
        {"target", "demo"}, {"database", "/data/orders.db"}, {"lock", "write"}, {"comm", comm}};
  };
  s.counter("nearzero_sqlite_lock_seen_total", with("demo"), 3);
  s.counter("nearzero_sqlite_lock_seen_total", with("archiver"), 11);
  s.counter("nearzero_sqlite_lock_seen_total", with("gone"), 0);
  s.gauge("nearzero_sqlite_lock_held_seconds", with("demo"), 0);
  const auto found = find(s);
  ASSERT_FALSE(found.empty());
  ASSERT_EQ(found[0].kind, "sqlite_writer_contention") << told(found);
  EXPECT_THAT(found[0].recommendation,
              HasSubstr("archiver and demo were seen with the write lock"));
  std::string evidence;
  for (const Evidence& e : found[0].evidence) evidence += e.text + "\n";
  EXPECT_THAT(evidence, HasSubstr("looks in which archiver had the write lock: 110\n"));
}

// Two syncs within each, and one of the header of the log that begins anew.
TEST(CheckpointStall, ExplainsTheSyncsThatCheckpointsBring) {
  Scene s;
  s.us["persist"]["disk"] = 540;
  s.waits["checkpoint"] = {4'500, 0.08};
  s.waits["sync"] = {2'000, 0.25};
  const auto found = find(s);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_EQ(found[0].kind, "checkpoint_stall") << told(found);
}

TEST(CheckpointStall, LeavesSyncsOfCommitsToSlowSync) {
  Scene s;
  s.us["persist"]["disk"] = 2'150;
  s.waits["checkpoint"] = {4'500, 0.03};
  s.waits["sync"] = {2'000, 1.06};
  const auto found = find(s);
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found[0].kind, "slow_sync") << told(found);
}

TEST(SqliteOpens, SaysNothingOfAServiceThatOpensAtItsStartOrNowAndThen) {
  Scene s;
  s.counter("nearzero_sqlite_opens_total", {{"target", "demo"}}, 4.5);
  EXPECT_TRUE(find(s).empty());
  Scene busy;  // one for each tenth order
  busy.counter("nearzero_sqlite_opens_total", {{"target", "demo"}}, 30);
  EXPECT_TRUE(find(busy).empty());
}

TEST(SlowStatement, GivesTheAdviceOfThePlan) {
  Scene s;
  s.us["risk"]["running"] = 2'108;
  s.statements[0].mean_us = 2'000;
  SlowStatement slow;
  slow.target = "demo";
  slow.digest = "aa01";
  slow.plan = "SCAN risk_limits";
  slow.inside = 2e-3;
  slow.advice = {
      "CREATE INDEX risk_limits_account ON risk_limits(account): SCAN risk_limits reads "
      "20,000 rows for one."};
  Details d;
  d.slow_statements = {slow};
  const auto found = find(s, Scene{}, d);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(found[0].recommendation, HasSubstr("CREATE INDEX risk_limits_account"));
  EXPECT_THAT(told(found), HasSubstr("SELECT max_quantity FROM risk_limits WHERE account = ?"));
  const auto plan = std::find_if(found[0].evidence.begin(), found[0].evidence.end(),
                                 [](auto& e) { return e.text == "plan: SCAN risk_limits"; });
  EXPECT_NE(plan, found[0].evidence.end());
}

TEST(SlowStatement, WithoutAPlanSaysHowToSeeIt) {
  Scene s;
  s.us["risk"]["running"] = 2'108;
  s.statements[0].mean_us = 2'000;
  EXPECT_THAT(find(s)[0].recommendation, HasSubstr("EXPLAIN QUERY PLAN SELECT max_quantity"));
}

TEST(SlowStatement, AMissingIndexThatWasAlwaysMissingIsToldByItsPlan) {
  Scene s;
  s.us["risk"]["running"] = 2'108;
  s.statements[0].mean_us = 2'000;
  SlowStatement slow;
  slow.target = "demo";
  slow.digest = "aa01";
  slow.advice = {"CREATE INDEX i ON risk_limits(account)"};
  Details d;
  d.slow_statements = {slow};
  const auto found = find(s, s, d);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_EQ(found[0].kind, "slow_statement");
  EXPECT_NEAR(found[0].impact, 2'000 / (281 + 1'988.0), 0.01);
  EXPECT_TRUE(find(s, s).empty()) << "without a plan it is how the service works";
}

TEST(SlowStatement, AWaitForACpuIsNotItsWork) {
  Scene s;
  s.us["risk"]["runnable"] = 400;
  s.others = 1.9;
  s.statements[0].mean_us = 412;  // preempted in the lookup
  const auto found = find(s);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_EQ(found[0].kind, "noisy_neighbour");
}

TEST(SlowStatement, OfTheBoundaryPlanIsMeasuredByItsTimeOpen) {
  Scene s, healthy;
  s.us["risk"]["running"] = 2'108;
  for (Scene* x : {&s, &healthy}) x->statements.clear();
  const Labels labels{{"target", "demo"}, {"digest", "aa01"}, {"statement", "SELECT 1"}};
  s.counter("nearzero_sqlite_statements_total", labels, 300);
  s.histogram("nearzero_sqlite_statement_open_seconds", labels, 300, 2.5e-3);
  s.gauge("nearzero_sqlite_sampled_inside_ratio", {{"target", "demo"}}, 0.8);
  healthy.counter("nearzero_sqlite_statements_total", labels, 300);
  healthy.histogram("nearzero_sqlite_statement_open_seconds", labels, 300, 15e-6);
  healthy.gauge("nearzero_sqlite_sampled_inside_ratio", {{"target", "demo"}}, 0.8);
  const auto found = find(s, healthy);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_EQ(found[0].kind, "slow_statement");
  EXPECT_NEAR(found[0].impact, 1'988.0 / (281 + 1'988), 0.01);
}

TEST(SlowStatement, AtMostThreeAreNamed) {
  Scene s, healthy;
  for (int i = 0; i < 8; i++) {
    const std::string digest = "d" + std::to_string(i);
    healthy.statements.push_back({digest, "SELECT " + digest, 10, 1, 1});
    s.statements.push_back({digest, "SELECT " + digest, 1'000, 1, 1});
    s.us["risk"]["running"] += 990;
  }
  EXPECT_EQ(find(s, healthy).size(), 3U) << told(find(s, healthy));
}

TEST(SqliteWriterContention, IsNotTheWaitingWritersOwnDoing) {
  // An index is missing and another process holds the write lock.
  Scene s, healthy;
  s.us["risk"]["running"] += 540;
  s.us["persist"]["sleep"] += 2730;
  s.statements[0].mean_us = 552;
  s.statements[1].mean_us = 2830;
  s.waits["busy"] = {10'000, 0.278};
  const auto found = find(s, healthy);
  ASSERT_EQ(found.size(), 2U) << told(found);
  EXPECT_EQ(found[0].kind, "sqlite_writer_contention");
  EXPECT_EQ(found[1].kind, "slow_statement");
  EXPECT_THAT(found[1].title, HasSubstr("SELECT max_quantity"));
}

TEST(SqliteWriterContention, OfAWriterThatComputesLongIsItsDoing) {
  Scene s, healthy;
  s.us["persist"]["running"] += 3000;
  s.us["persist"]["sleep"] += 2800;
  s.statements[1].mean_us = 5840;
  s.waits["busy"] = {10'000, 0.28};
  const auto found = find(s, healthy);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_EQ(found[0].kind, "slow_statement");
  EXPECT_THAT(found[0].title, HasSubstr("INSERT INTO orders"));
}

TEST(SqliteWriterContention, ErrorsAreAnImpactOfTheirOwn) {
  Scene s;
  s.counter("nearzero_sqlite_results_total", {{"target", "demo"}, {"code", "SQLITE_BUSY"}}, 90);
  const auto found = find(s);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_EQ(found[0].kind, "sqlite_writer_contention");
  EXPECT_NEAR(found[0].impact, 0.3, 0.01) << "90 of 300 orders a second";
}

TEST(WalGrowth, IsToldFromItsSizeOn) {
  Scene s, healthy;
  const Labels labels{{"target", "demo"}, {"database", "/data/orders.db"}, {"kind", "wal"}};
  healthy.gauge("nearzero_sqlite_database_bytes", labels, 4e6);
  s.gauge("nearzero_sqlite_database_bytes", labels, 60e6);
  EXPECT_TRUE(find(s, healthy).empty());
  s.more.back().value = 80e6;
  const auto found = find(s, healthy);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].kind, "wal_growth");
  EXPECT_THAT(found[0].title, HasSubstr("/data/orders.db grows: 76.3 MiB"));
}

TEST(LongTransaction, IsTheCauseOfTheWalsGrowth) {
  Scene s, healthy;
  healthy.gauge("nearzero_sqlite_database_bytes",
                {{"target", "demo"}, {"database", "o.db"}, {"kind", "wal"}}, 4e6);
  s.gauge("nearzero_sqlite_database_bytes",
          {{"target", "demo"}, {"database", "o.db"}, {"kind", "wal"}}, 90e6);
  const Labels labels{
      {"target", "demo"}, {"digest", "cc03"}, {"statement", "SELECT * FROM orders"}};
  s.histogram("nearzero_sqlite_statement_open_seconds", labels, 0.1, 8);
  s.histogram("nearzero_sqlite_statement_duration_seconds", labels, 0.1, 0.2);
  const auto found = find(s, healthy);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_EQ(found[0].kind, "long_transaction");
  EXPECT_THAT(found[0].title, HasSubstr("stays open for 8 s: SELECT * FROM orders"));
}

// No statement's duration spans a rest of the probes: the lock is seen all the same.
TEST(LongTransaction, IsSeenByItsLockWhereStatementsAreObservedForAPartOfTheTime) {
  const Labels reads{{"target", "demo"}, {"database", "o.db"}, {"lock", "read"}};
  Scene s, healthy;
  s.gauge("nearzero_sqlite_transaction_seconds", reads, 6);
  s.gauge("nearzero_sqlite_transaction_seconds",
          {{"target", "other"}, {"database", "o.db"}, {"lock", "write"}}, 60);
  const auto found = find(s, healthy);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_EQ(found[0].kind, "long_transaction");
  EXPECT_THAT(found[0].title, HasSubstr("on o.db stays open for 6 s and pins the WAL"));
  healthy.gauge("nearzero_sqlite_transaction_seconds", reads, 7);
  EXPECT_TRUE(find(s, healthy).empty()) << "it has always been so";
  Scene shorter;
  shorter.gauge("nearzero_sqlite_transaction_seconds", reads, 4.9);
  EXPECT_TRUE(find(shorter).empty());
}

// An identity is had once: the ledger and alerts know findings by it.
TEST(LongTransaction, OfBothLocksOfADatabaseIsOne) {
  Scene s;
  for (const auto& [lock, seconds] : {std::pair{"read", 6.0}, std::pair{"write", 8.0}}) {
    s.gauge("nearzero_sqlite_transaction_seconds",
            {{"target", "demo"}, {"database", "o.db"}, {"lock", lock}}, seconds);
  }
  const auto found = find(s);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_THAT(found[0].title, HasSubstr("on o.db stays open for 8 s and holds the write lock"));
}

TEST(LongTransaction, AStatementThatWorksIsNone) {
  Scene s;
  const Labels labels{{"target", "demo"}, {"digest", "cc03"}, {"statement", "SELECT 1"}};
  s.histogram("nearzero_sqlite_statement_open_seconds", labels, 0.1, 8);
  s.histogram("nearzero_sqlite_statement_duration_seconds", labels, 0.1, 7.5);
  EXPECT_TRUE(find(s).empty()) << told(find(s));
}

}  // namespace
}  // namespace nz::analysis::test
