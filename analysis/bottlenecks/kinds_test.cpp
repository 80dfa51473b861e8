// What single rules say and where they hold back, beside the fault matrix.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/bottlenecks/scene.h"

namespace nz::analysis::test {
namespace {

using ::testing::HasSubstr;

// ---- processor

TEST(CpuSaturation, BurstsOnCpusThatAreNotBusyNeedMore) {
  Scene s;
  s.us["signal"]["runnable"] = 60;  // 17 % of the order
  EXPECT_TRUE(find(s).empty()) << told(find(s));
  s.us["signal"]["runnable"] = 200;
  const auto found = find(s);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].kind, "cpu_saturation");
  EXPECT_EQ(found[0].where, "run queue");
}

TEST(CpuSaturation, WithoutHostMetricsItIsStillFound) {
  Scene s, healthy;
  s.us["signal"]["runnable"] = 400;
  s.host_metrics = healthy.host_metrics = false;
  const auto found = find(s, healthy);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_EQ(found[0].kind, "cpu_saturation");
}

TEST(CpuSaturation, AStatementThatTakesTheCpusIsTheCause) {
  Scene s;
  s.rate = 800;
  s.us["risk"]["running"] = 2'100;
  s.us["risk"]["runnable"] = 900;
  s.statements[0].mean_us = 1'992;
  Scene healthy;
  healthy.rate = 800;
  const auto found = find(s, healthy);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_EQ(found[0].kind, "slow_statement");
  const double order = 281 + 1'980 + 898;
  EXPECT_NEAR(found[0].impact, (1'980 + 898) / order, 0.01) << "the wait that it causes, too";
}

TEST(NoisyNeighbour, SlowsRunningCodeToo) {
  Scene s;
  s.us["signal"]["runnable"] = 300;
  for (const char* stage : {"signal", "risk", "persist"}) s.us[stage]["running"] *= 1.55;
  s.others = 1.8;
  const auto found = find(s);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_EQ(found[0].kind, "noisy_neighbour");
  EXPECT_NEAR(found[0].impact, (298 + 143) / (281.0 + 298 + 143), 0.01);
}

TEST(NoisyNeighbour, OnOneCpuThereIsNoOtherCore) {
  Scene s, healthy;
  s.cpus = healthy.cpus = 1;
  s.us["signal"]["runnable"] = 300;
  s.others = 0.9;
  const auto found = find(s, healthy);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].kind, "noisy_neighbour");
}

TEST(CpuQuota, SaysHowMuchWouldDo) {
  Scene s;
  s.us["signal"]["runnable"] = 900;
  s.counter("nearzero_target_throttled_seconds_total", {{"target", "demo"}}, 0.5);
  s.gauge("nearzero_target_cpu_quota_cores", {{"target", "demo"}}, 0.2);
  const auto found = find(s);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].kind, "cpu_quota");
  EXPECT_THAT(found[0].recommendation, HasSubstr("from 0.2 cores to 0.52 cores or more"));
}

TEST(CpuQuota, BesideANeighbourBothAreNamed) {
  Scene s;
  s.us["signal"]["runnable"] = 1'500;  // 0.45 s of waiting a second
  s.others = 1.9;
  s.counter("nearzero_target_throttled_seconds_total", {{"target", "demo"}}, 0.2);
  const auto found = find(s);
  ASSERT_EQ(found.size(), 2U) << told(found);
  EXPECT_NE(of_kind(found, "cpu_quota"), nullptr);
  EXPECT_NE(of_kind(found, "noisy_neighbour"), nullptr);
}

TEST(ForkStorm, ACompilersForksAreNotTheCause) {
  Scene s;
  s.us["signal"]["runnable"] = 300;
  s.others = 1.9;
  s.others_kernel = 0.3;
  s.forks = 250;
  const auto found = find(s);
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found[0].kind, "noisy_neighbour") << told(found);
}

TEST(ForkStorm, IsToldBeforeOrdersFeelIt) {
  Scene s;
  s.forks = 3'000;
  const auto found = find(s);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_EQ(found[0].kind, "fork_storm");
  EXPECT_EQ(found[0].severity, Severity::info);
}

TEST(OwnCode, NamesTheFunctionThatGrew) {
  Scene s;
  s.us["signal"]["running"] = 500;
  Details d;
  d.hot_functions = {{"demo", "malloc", "libc.so.6", 0.3, 0.3, 100},
                     {"demo", "demo::ewma", "nz-demo", 0.25, 0.05, 80},
                     {"other", "spin", "x", 0.9, 0, 80}};
  const auto found = find(s, Scene{}, d);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].where, "demo::ewma");
  EXPECT_THAT(found[0].title, HasSubstr("661 us in place of 261 us"));
  EXPECT_THAT(found[0].evidence.back().text, HasSubstr("25 % of the samples (before: 5 %)"));
}

TEST(OwnCode, OfTheKernelsFunctionsTheCallersAreLookedAt) {
  Scene s;
  s.us["signal"]["running"] = 500;
  Details d;
  d.hot_functions = {{"demo", "copy_page", "[kernel]", 0.5, 0.05, 80}};
  const auto found = find(s, Scene{}, d);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].where, "copy_page");
  EXPECT_THAT(found[0].recommendation, HasSubstr("format=folded&target=demo"));
}

TEST(OwnCode, WhatIsNotKnownOfBeforeNamesNoCulprit) {
  Scene s;
  s.us["signal"]["running"] = 500;
  Details d;
  d.hot_functions = {{"demo", "demo::ewma", "nz-demo", 0.9, std::nullopt, 80}};
  const auto found = find(s, Scene{}, d);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].where, "stage signal");
  EXPECT_THAT(found[0].evidence.back().text, HasSubstr("(before: unknown)"));
}

TEST(OwnCode, ANeighbourMayBeWhyUnlessAFunctionGrew) {
  Scene s;
  for (const char* stage : {"signal", "risk", "persist"}) s.us[stage]["running"] *= 1.58;
  s.others = 0.9;
  s.others_kernel = 0.1;
  const auto found = find(s);
  EXPECT_EQ(of_kind(found, "own_code"), nullptr) << told(found);
  Details d;
  d.hot_functions = {{"demo", "demo::ewma", "nz-demo", 0.4, 0.05, 80}};
  EXPECT_NE(of_kind(find(s, Scene{}, d), "own_code"), nullptr);
}

// ---- locks, disk

TEST(LockContention, PointsToTheStageAndTheLimitForStacks) {
  Scene s;
  s.us["risk"]["lock"] = 450;
  s.histogram("nearzero_offcpu_seconds", {{"target", "demo"}, {"reason", "lock"}}, 100, 1.5e-3);
  const auto found = find(s);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].title, "Orders wait for a lock in stage risk");
  EXPECT_THAT(found[0].recommendation, HasSubstr("nearzero trace futex -p PID --by detail"));
}

TEST(SlowSync, MoreSyncsAreToldApartFromSlowerOnes) {
  Scene s;
  s.us["persist"]["disk"] = 1'500;
  s.waits["sync"] = {1'500, 1};  // as long as before, but for each order
  const auto found = find(s);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_THAT(found[0].title, HasSubstr("more syncs"));
  EXPECT_THAT(found[0].recommendation, HasSubstr("PRAGMA synchronous"));
}

// 30 orders a second, each with a sync and a wait for another writer.
std::vector<Finding> found_with(double sync_us, double busy_us) {
  Scene s, healthy;
  s.rate = healthy.rate = 30;
  s.us["persist"]["disk"] = sync_us;
  s.us["persist"]["sleep"] = busy_us;
  s.waits["sync"] = {sync_us, 1};
  s.waits["busy"] = {busy_us, 1};
  return find(s, healthy);
}

TEST(SlowSync, OtherWritersWaitingForTheSyncAreItsEffect) {
  const auto found = found_with(20'000, 15'000);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_EQ(found[0].kind, "slow_sync");
  EXPECT_NEAR(found[0].impact, 34'986 / (281.0 + 34'986), 0.01);
}

TEST(SlowSync, AWriterThatWaitsMuchLongerHasAnotherCause) {
  const auto found = found_with(8'000, 30'000);
  ASSERT_EQ(found.size(), 2U) << told(found);
  EXPECT_EQ(found[0].kind, "sqlite_writer_contention");
  EXPECT_EQ(found[1].kind, "slow_sync");
}

TEST(SlowSync, AThrottleOutsideTheDiskIsNotTheDisk) {
  Scene s, healthy;
  s.us["persist"]["disk"] = 20'000;
  s.waits["sync"] = {20'000, 1};
  for (Scene* x : {&s, &healthy}) {
    x->histogram("nearzero_block_io_duration_seconds", {{"device", "vda"}, {"op", "write"}}, 100,
                 4e-4);
  }
  s.counter("nearzero_disk_busy_seconds_total", {{"device", "vda"}}, 0.95);
  s.counter("nearzero_disk_queue_seconds_total", {{"device", "vda"}}, 4);
  const auto found = find(s, healthy);
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found[0].kind, "slow_sync") << told(found);
}

TEST(DiskSaturation, IsToldWithoutImpact) {
  Scene s;
  s.counter("nearzero_disk_busy_seconds_total", {{"device", "vda"}}, 0.99);
  s.counter("nearzero_disk_queue_seconds_total", {{"device", "vda"}}, 30);
  const auto found = find(s);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_EQ(found[0].kind, "disk_saturation");
  EXPECT_EQ(found[0].impact, 0);
  EXPECT_EQ(found[0].severity, Severity::info);
}

struct Full {
  double used;
  int found;
  Severity severity;
};
class FilesystemFull : public ::testing::TestWithParam<Full> {};
TEST_P(FilesystemFull, IsToldByShare) {
  Scene s;
  const auto labels = [](const char* kind) {
    return Labels{{"mount", "/data"}, {"device", "/dev/vdb"}, {"kind", kind}};
  };
  s.gauge("nearzero_filesystem_bytes", labels("size"), 1e9);
  s.gauge("nearzero_filesystem_bytes", labels("available"), 1e9 * (1 - GetParam().used));
  const auto found = find(s);
  ASSERT_EQ(found.size(), GetParam().found) << told(found);
  if (found.empty()) return;
  EXPECT_EQ(found[0].severity, GetParam().severity);
  EXPECT_EQ(found[0].id, "filesystem_full/demo/host filesystem /data");
}
INSTANTIATE_TEST_SUITE_P(Shares, FilesystemFull,
                         ::testing::Values(Full{0.90, 0, Severity::info},
                                           Full{0.94, 0, Severity::info},
                                           Full{0.96, 1, Severity::warning},
                                           Full{0.995, 1, Severity::critical}));

// ---- SQLite

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

TEST(LongTransaction, AStatementThatWorksIsNone) {
  Scene s;
  const Labels labels{{"target", "demo"}, {"digest", "cc03"}, {"statement", "SELECT 1"}};
  s.histogram("nearzero_sqlite_statement_open_seconds", labels, 0.1, 8);
  s.histogram("nearzero_sqlite_statement_duration_seconds", labels, 0.1, 7.5);
  EXPECT_TRUE(find(s).empty()) << told(find(s));
}

// ---- memory

TEST(MemoryPressure, OneSignIsNotEnough) {
  Scene s;
  s.counter("nearzero_target_page_faults_total", {{"target", "demo"}, {"kind", "major"}}, 500);
  EXPECT_TRUE(find(s).empty()) << told(find(s));
}

TEST(MemoryPressure, AnOomKillIsCritical) {
  Scene s;
  s.counter("nearzero_host_vm_events_total", {{"event", "oom_kill"}}, 0.1);
  const auto found = find(s);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].kind, "memory_pressure");
  EXPECT_EQ(found[0].severity, Severity::critical);
}

TEST(MemoryPressure, SwappingExplainsTheSaturatedDisk) {
  Scene s, healthy;
  s.us["risk"]["page_fault"] = 2'000;
  s.us["persist"]["disk"] = 700;
  s.waits["sync"] = {80'000, 0.008};
  s.counter("nearzero_host_vm_events_total", {{"event", "pswpin"}}, 5'000);
  s.counter("nearzero_host_vm_events_total", {{"event", "pswpout"}}, 5'000);
  s.counter("nearzero_pressure_seconds_total",
            {{"scope", "host"}, {"resource", "memory"}, {"kind", "some"}}, 0.5);
  s.counter("nearzero_disk_busy_seconds_total", {{"device", "vda"}}, 0.99);
  s.counter("nearzero_disk_queue_seconds_total", {{"device", "vda"}}, 20);
  s.counter("nearzero_disk_bytes_total", {{"device", "vda"}, {"op", "write"}}, 45e6);
  const auto found = find(s, healthy);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_EQ(found[0].kind, "memory_pressure");
}

TEST(MemoryPressure, OfTheCgroupPointsToItsLimit) {
  Scene s;
  s.us["risk"]["page_fault"] = 500;
  s.counter("nearzero_pressure_seconds_total",
            {{"scope", "demo"}, {"resource", "memory"}, {"kind", "some"}}, 0.3);
  s.histogram("nearzero_reclaim_stall_seconds", {{"target", "demo"}}, 50, 2e-3);
  const auto found = find(s);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_EQ(found[0].where, "memory of demo");
  EXPECT_THAT(found[0].recommendation, HasSubstr("MemoryMax="));
}

TEST(CpuSaturation, IsFeltBeforeTheFirstStageToo) {
  Scene s;
  s.others = 1.0;
  s.hog_cpu = 0;
  // 300 orders a second, each after 350 us in the run queue.
  s.histogram("nearzero_runqueue_latency_seconds", {{"target", "demo"}, {"after", "wakeup"}}, 300,
              350e-6);
  const auto found = find(s);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_EQ(found[0].kind, "cpu_saturation");
  EXPECT_NEAR(found[0].impact, 0.55, 0.03) << "350 us of 350 and 281";
  EXPECT_NEAR(found[0].impact_seconds, 350e-6, 20e-6);
}

TEST(CpuSaturation, OfAWaitAheadOnAnIdleHostNothingIsSaid) {
  Scene s;
  s.histogram("nearzero_runqueue_latency_seconds", {{"target", "demo"}, {"after", "wakeup"}}, 300,
              350e-6);
  const auto found = find(s);
  EXPECT_TRUE(found.empty()) << told(found);
}

TEST(CpuSaturation, IsWhatMakesSyncsSlowWhereTheirThreadsWaitForTheCpu) {
  Scene s, healthy;
  s.us["signal"]["runnable"] = 150;
  s.us["persist"]["disk"] = 200;
  s.waits["sync"] = {200, 0.03};
  healthy.waits["sync"] = {30, 0.03};
  s.others = 1.0;
  s.hog_cpu = 0;
  s.histogram("nearzero_runqueue_latency_seconds", {{"target", "host"}}, 500, 6e-3);
  healthy.histogram("nearzero_runqueue_latency_seconds", {{"target", "host"}}, 500, 2e-5);
  const auto found = find(s, healthy);
  ASSERT_FALSE(found.empty());
  for (const Finding& f : found) EXPECT_NE(f.kind, "slow_sync") << told(found);
}

TEST(MemoryPressure, ShowsOnAFastDiskByHowOftenTheServiceReclaims) {
  Scene s;
  s.us["risk"]["page_fault"] = 110;
  s.counter("nearzero_target_page_faults_total", {{"target", "demo"}, {"kind", "major"}}, 1'500);
  s.histogram("nearzero_reclaim_stall_seconds", {{"target", "demo"}, {"kind", "cgroup"}}, 50, 3e-5);
  const auto found = find(s);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_EQ(found[0].kind, "memory_pressure");
  EXPECT_EQ(found[0].where, "memory of demo");
}

TEST(PageFaults, ANeighboursStormIsNamedInPlaceOfTheNeighbour) {
  Scene s;
  s.us["signal"]["runnable"] = 400;
  s.others = 1.9;
  s.others_kernel = 1.5;
  s.counter("nearzero_host_vm_events_total", {{"event", "pgfault"}}, 700'000);
  const auto found = find(s);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_EQ(found[0].kind, "page_faults");
  EXPECT_EQ(found[0].where, "host memory");
}

TEST(PageFaults, AForkStormsFaultsAreItsOwn) {
  Scene s;
  s.us["signal"]["runnable"] = 400;
  s.others = 1.9;
  s.others_kernel = 1.5;
  s.forks = 3'000;
  s.counter("nearzero_host_vm_events_total", {{"event", "pgfault"}}, 700'000);
  const auto found = find(s);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_EQ(found[0].kind, "fork_storm");
}

// ---- network, files

TEST(NetworkLoss, IsToldWithoutImpact) {
  Scene s;
  s.counter("nearzero_tcp_retransmits_total", {{"target", "demo"}}, 20);
  s.histogram("nearzero_tcp_round_trip_seconds", {{"target", "demo"}}, 600, 2e-4);
  const auto found = find(s);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_EQ(found[0].kind, "network_loss");
  EXPECT_EQ(found[0].severity, Severity::warning);
}

TEST(NetworkLoss, OfTheHostWhereTheTargetsAreNotCounted) {
  Scene s;
  s.counter("nearzero_tcp_events_total", {{"event", "retransmits"}}, 30);
  s.counter("nearzero_tcp_events_total", {{"event", "segments_out"}}, 1'000);
  EXPECT_EQ(find(s)[0].kind, "network_loss");
  Scene few;
  few.counter("nearzero_tcp_events_total", {{"event", "retransmits"}}, 30);
  few.counter("nearzero_tcp_events_total", {{"event", "segments_out"}}, 100'000);
  EXPECT_TRUE(find(few).empty()) << told(find(few));
}

TEST(NetworkLoss, ALongerWayIsToldWithoutALoss) {
  Scene s, healthy;
  s.histogram("nearzero_tcp_round_trip_seconds", {{"target", "demo"}}, 600, 30e-3);
  healthy.histogram("nearzero_tcp_round_trip_seconds", {{"target", "demo"}}, 600, 1e-3);
  const auto found = find(s, healthy);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(found[0].title, HasSubstr("The network has become slow"));
}

TEST(ListenOverflow, IsTold) {
  Scene s;
  s.counter("nearzero_tcp_events_total", {{"event", "listen_overflows"}}, 3);
  ASSERT_EQ(find(s).size(), 1U);
  EXPECT_EQ(find(s)[0].kind, "listen_overflow");
}

struct Open {
  double used;
  double errors;
  int found;
  Severity severity;
};
class OpenFiles : public ::testing::TestWithParam<Open> {};
TEST_P(OpenFiles, AreToldBeforeTheyRunOut) {
  Scene s;
  s.gauge("nearzero_target_open_files", {{"target", "demo"}, {"kind", "used"}}, GetParam().used);
  s.gauge("nearzero_target_open_files", {{"target", "demo"}, {"kind", "limit"}}, 1000);
  s.counter("nearzero_syscall_errors_total",
            {{"target", "demo"}, {"syscall", "accept4"}, {"errno", "EMFILE"}}, GetParam().errors);
  const auto found = find(s);
  ASSERT_EQ(found.size(), GetParam().found) << told(found);
  if (found.empty()) return;
  EXPECT_EQ(found[0].severity, GetParam().severity);
}
INSTANTIATE_TEST_SUITE_P(Shares, OpenFiles,
                         ::testing::Values(Open{100, 0, 0, Severity::info},
                                           Open{890, 0, 0, Severity::info},
                                           Open{900, 0, 1, Severity::warning},
                                           Open{985, 0, 1, Severity::critical},
                                           Open{500, 3, 1, Severity::critical}));

TEST(OpenFilesOfTheHost, AreToldOnceForTwoTargets) {
  Scene a, b;
  b.target = "gateway";
  Window both = a.window();
  for (const WindowSeries& s : b.window().series) {
    // The host's series are there once.
    if (has_labels(s.labels, {{"target", "gateway"}})) both.series.push_back(s);
  }
  for (const auto& [kind, value] : {std::pair{"used", 95.0}, std::pair{"limit", 100.0}}) {
    WindowSeries s;
    s.name = "nearzero_host_open_files";
    s.labels = {{"kind", kind}};
    s.value = value;
    both.series.push_back(s);
  }
  const auto found = find_bottlenecks(both, Window{}, {}, {});
  EXPECT_EQ(found.size(), 1U) << told(found);
}

TEST(AHostWithoutTargets, IsLookedAtAsOne) {
  Window w;
  w.to = 10;
  for (const auto& [kind, value] : {std::pair{"used", 95.0}, std::pair{"limit", 100.0}}) {
    WindowSeries s;
    s.name = "nearzero_host_open_files";
    s.labels = {{"kind", kind}};
    s.value = value;
    w.series.push_back(s);
  }
  const auto found = find_bottlenecks(w, Window{}, {}, {});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].target, "host");
}

TEST(Kinds, AreTwentyOneAndSorted) {
  const auto kinds = bottleneck_kinds();
  EXPECT_EQ(kinds.size(), 21U);
  EXPECT_TRUE(std::is_sorted(kinds.begin(), kinds.end()));
}

}  // namespace
}  // namespace nz::analysis::test
