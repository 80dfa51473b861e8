// Rules of disks and file systems: what each says, and where it holds back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/bottlenecks/scene.h"

namespace nz::analysis::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(SlowSync, MoreSyncsAreToldApartFromSlowerOnes) {
  Scene s;
  s.us["persist"]["disk"] = 1'500;
  s.waits["sync"] = {1'500, 1};  // as long as before, but for each order
  const auto found = find(s);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_THAT(found[0].title, HasSubstr("more syncs"));
  EXPECT_THAT(found[0].recommendation, HasSubstr("PRAGMA synchronous"));
}

// Run 78 of the fault matrix of 2026-11-28, which was healthy.
TEST(SlowSync, ACheckpointThatTheReferenceDidNotSeeIsNotToldForItsSyncs) {
  Scene s, healthy;
  healthy.waits = {};
  healthy.us["persist"].erase("disk");
  s.us["persist"]["disk"] = 55;
  s.waits["sync"] = {3'290, 0.019};
  EXPECT_TRUE(find(s, healthy).empty()) << told(find(s, healthy));
  s.waits["sync"].mean_us = 20'000;
  s.us["persist"]["disk"] = 380;
  EXPECT_FALSE(find(s, healthy).empty()) << "slow by itself";
  s.waits["sync"] = {700, 1};
  s.us["persist"]["disk"] = 700;
  EXPECT_FALSE(find(s, healthy).empty()) << "each order syncs now";
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

TEST(FilesystemFull, TellsOfTheFullestOne) {
  Scene s;
  const auto add = [&](const char* family, const char* mount, double used) {
    const auto labels = [&](const char* kind) {
      return Labels{{"mount", mount}, {"device", mount}, {"kind", kind}};
    };
    s.gauge(family, labels("size"), 1e9);
    s.gauge(family, labels("available"), 1e9 * (1 - used));
  };
  add("nearzero_filesystem_bytes", "/", 0.955);
  add("nearzero_filesystem_bytes", "/data", 0.995);
  add("nearzero_filesystem_inodes", "/", 0.97);
  const auto found = find(s);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_EQ(found[0].id, "filesystem_full/demo/host filesystem /data");
  EXPECT_EQ(found[0].severity, Severity::critical);
}

void add_mount(Scene& s, const char* mount, const char* device) {
  const auto labels = [&](const char* kind) {
    return Labels{{"mount", mount}, {"device", device}, {"kind", kind}};
  };
  s.gauge("nearzero_filesystem_bytes", labels("size"), 1e9);
  s.gauge("nearzero_filesystem_bytes", labels("available"), 0.5e9);
}

// On no disk that is known without a `device`.
void add_database(Scene& s, const char* database, const char* device = nullptr) {
  for (const char* kind : {"main", "wal", "shm"}) {
    s.gauge("nearzero_sqlite_database_bytes",
            {{"target", s.target}, {"database", database}, {"kind", kind}}, 1e6);
  }
  if (!device) return;
  s.gauge("nearzero_sqlite_database_device",
          {{"target", s.target}, {"database", database}, {"device", device}}, 1);
}

void fail_requests(Scene& s, const char* device, const char* op, double in_window) {
  s.counter("nearzero_block_io_errors_total", {{"device", device}, {"op", op}},
            in_window / s.seconds);
}

// `in_window` statements of one digest end with `code`.
void fail_statements(Scene& s, const char* code, double in_window, const char* digest = "bb02") {
  const auto with = [&](const char* label, const char* value) {
    return Labels{{"target", s.target}, {"digest", digest}, {label, value}};
  };
  s.counter("nearzero_sqlite_results_total", {{"target", s.target}, {"code", code}},
            in_window / s.seconds);
  s.counter("nearzero_sqlite_statement_errors_total", with("statement", "INSERT INTO orders"),
            in_window / s.seconds);
  s.gauge("nearzero_sqlite_statement_code", with("code", code), 1);
}

void begin_in_stage(Scene& s, const char* digest, const char* stage) {
  s.gauge("nearzero_sqlite_statement_stage",
          {{"target", s.target}, {"digest", digest}, {"stage", stage}}, 1);
}

TEST(DiskErrors, NameTheDiskAndTheOperations) {
  Scene s;
  fail_requests(s, "sdb", "read", 4);
  fail_requests(s, "sdb", "write", 1);
  fail_requests(s, "sdb", "discard", 7);
  fail_requests(s, "sdc", "discard", 7);
  const auto found = find(s);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_EQ(found[0].id, "disk_errors/demo/host disk sdb");
  EXPECT_EQ(found[0].title, "Disk sdb fails requests: 4 read, 1 write");
  EXPECT_EQ(found[0].severity, Severity::warning);
  EXPECT_EQ(found[0].impact, 0);
  ASSERT_EQ(found[0].evidence.size(), 2U);
  EXPECT_EQ(found[0].evidence[1].series,
            R"(nearzero_block_io_errors_total{device="sdb",op="write"})");
  EXPECT_EQ(found[0].evidence[1].text, "failed, write: 0.1/s (before: 0/s)");
  EXPECT_THAT(found[0].recommendation, HasSubstr("smartctl -a /dev/sdb "));
}

TEST(DiskErrors, OfADiskWithoutANameNameNoFileOfIt) {
  Scene s;
  fail_requests(s, "other", "read", 1);
  EXPECT_THAT(find(s)[0].recommendation, HasSubstr("smartctl -a of that disk"));
}

// Alone and beside a reference; the disk of the database is the last by name.
TEST(DiskErrors, OfTheDatabasesDiskAreFirst) {
  Scene s;
  add_mount(s, "/", "sda");
  add_database(s, "/data/live/orders.db", "sdc");
  for (const char* device : {"sda", "sdb", "sdc"}) fail_requests(s, device, "write", 2);
  for (const auto& before : {std::optional<Scene>(Scene{}), std::optional<Scene>()}) {
    const auto found = find(s, before);
    ASSERT_EQ(found.size(), 3U) << told(found);
    EXPECT_EQ(found[0].where, "host disk sdc");
    EXPECT_THAT(found[0].title, HasSubstr("/data/live/orders.db lies on it"));
    EXPECT_THAT(found[0].recommendation, HasSubstr("a copy of /data/live/orders.db"));
    EXPECT_GT(found[0].confidence, found[1].confidence);
  }
}

// Its own mount is none that is exported: NFS, an overlay, a container's.
TEST(DiskErrors, NameNoDatabaseWhoseDiskIsNotKnown) {
  Scene s;
  add_mount(s, "/", "sda");
  add_database(s, "/mnt/nfs/orders.db");
  fail_requests(s, "sda", "write", 2);
  EXPECT_THAT(find(s)[0].title, Not(HasSubstr("orders.db")));
}

TEST(DiskErrors, NameNoDatabaseThatWasOnTwoDisks) {
  Scene s;
  add_database(s, "/data/orders.db", "sda");
  s.gauge("nearzero_sqlite_database_device",
          {{"target", s.target}, {"database", "/data/orders.db"}, {"device", "sdb"}}, 1);
  fail_requests(s, "sda", "write", 2);
  EXPECT_THAT(find(s)[0].title, Not(HasSubstr("orders.db")));
}

TEST(DiskErrors, AreToldOfTheTargetWhoseDatabaseIsThere) {
  Scene a, b;
  b.target = "gateway";
  fail_requests(a, "sdc", "write", 2);
  add_database(b, "/data/orders.db", "sdc");
  Window both = a.window();
  for (const WindowSeries& s : b.window().series) {
    if (has_labels(s.labels, {{"target", "gateway"}})) both.series.push_back(s);
  }
  const auto found = find_bottlenecks(both, Window{}, {}, {});
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_EQ(found[0].target, "gateway");
}

TEST(DiskErrors, OfStatementsOnTheOrderPathAreCritical) {
  Scene s;
  add_database(s, "/data/orders.db");
  fail_statements(s, "SQLITE_FULL", 900);
  const auto beside = find(s);
  ASSERT_EQ(beside.size(), 1U) << told(beside);
  EXPECT_EQ(beside[0].severity, Severity::warning) << "in no stage";
  EXPECT_EQ(beside[0].impact, 0);
  begin_in_stage(s, "bb02", "persist");
  const auto found = find(s);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_EQ(found[0].id, "disk_errors/demo/SQLITE_FULL");
  EXPECT_EQ(found[0].where, beside[0].where) << "a label of alerts";
  EXPECT_EQ(found[0].title,
            "SQLite statements fail with SQLITE_FULL (900) on /data/orders.db in stage persist: "
            "INSERT INTO orders");
  EXPECT_EQ(found[0].evidence.back().series,
            R"(nearzero_sqlite_statement_errors_total{target="demo",digest="bb02"})");
  EXPECT_EQ(found[0].severity, Severity::critical);
  EXPECT_NEAR(found[0].impact, 0.3, 1e-9) << "900 of 3,000 orders";
  EXPECT_EQ(found[0].impact_seconds, 0);
}

// What other threads do beside the orders fails ten times as often: these are no lost orders.
TEST(DiskErrors, OfOtherThreadsCostNoOrders) {
  Scene s, healthy;
  fail_statements(s, "SQLITE_FULL", 300);
  begin_in_stage(s, "bb02", "persist");
  fail_statements(s, "SQLITE_FULL", 3000, "cc03");
  const auto found = find(s, healthy);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_THAT(found[0].title, HasSubstr("(3300)"));
  EXPECT_NEAR(found[0].impact, 0.1, 1e-9) << "300 of 3,000 orders";
  fail_statements(healthy, "SQLITE_FULL", 3000, "cc03");
  EXPECT_NEAR(find(s, healthy)[0].impact, 0.1, 1e-9) << "nor are they taken off";
}

TEST(DiskErrors, OfAnotherCodeCostNoOrdersTwice) {
  Scene s;
  fail_statements(s, "SQLITE_FULL", 300);
  begin_in_stage(s, "bb02", "persist");
  // The errors of a digest are of any code.
  s.counter("nearzero_sqlite_statement_errors_total",
            {{"target", s.target}, {"digest", "bb02"}, {"statement", "INSERT INTO orders"}}, 200);
  EXPECT_NEAR(find(s)[0].impact, 0.1, 1e-9);
}

TEST(DiskErrors, OfEachCodeHaveAnAdviceOfTheirOwn) {
  for (const auto& [code, advice] :
       {std::pair{"SQLITE_IOERR", "dmesg"}, std::pair{"SQLITE_FULL", "quota"},
        std::pair{"SQLITE_CORRUPT", "integrity_check"}}) {
    Scene s;
    fail_statements(s, code, 1);
    const auto found = find(s);
    ASSERT_EQ(found.size(), 1U) << code << ": " << told(found);
    EXPECT_EQ(found[0].kind, "disk_errors");
    EXPECT_EQ(found[0].where, std::string(code) + " of demo");
    EXPECT_THAT(found[0].recommendation, HasSubstr(advice));
  }
}

TEST(DiskErrors, OfSeveralDatabasesNameTheOneOfTheSlowLog) {
  Scene s;
  add_database(s, "/data/audit.db");
  add_database(s, "/data/orders.db");
  fail_statements(s, "SQLITE_IOERR", 5);
  EXPECT_THAT(find(s)[0].title, Not(HasSubstr(".db")));
  SlowStatement slow;
  slow.target = "demo";
  slow.digest = "bb02";
  slow.database = "/data/orders.db";
  slow.result = 10 | (3 << 8);  // SQLITE_IOERR_WRITE
  slow.at = s.to - 1;
  Details d;
  d.slow_statements = {slow};
  EXPECT_THAT(find(s, Scene{}, d)[0].title, HasSubstr("on /data/orders.db"));
  d.slow_statements[0].at = s.to - s.seconds - 1;
  EXPECT_THAT(find(s, Scene{}, d)[0].title, Not(HasSubstr(".db"))) << "an older one";
}

TEST(DiskErrors, OfStatementsThatHaveNoDigestAreTold) {
  Scene s;
  s.counter("nearzero_sqlite_results_total", {{"target", "demo"}, {"code", "SQLITE_IOERR"}}, 0.1);
  const auto found = find(s);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_EQ(found[0].title,
            "SQLite statements fail with SQLITE_IOERR (1); which ones is not known");
  EXPECT_EQ(found[0].severity, Severity::warning);
}

// Three digests are told and how many there are; those of stages before those that err more.
TEST(DiskErrors, OfManyStatementsNameThoseOfOrders) {
  Scene s;
  s.counter("nearzero_sqlite_results_total", {{"target", "demo"}, {"code", "SQLITE_FULL"}}, 10);
  for (int i = 0; i < 5; i++) {
    const Labels digest{{"target", "demo"}, {"digest", "d" + std::to_string(i)}};
    Labels text = digest, code = digest;
    text.emplace_back("statement", "INSERT " + std::to_string(i));
    code.emplace_back("code", "SQLITE_FULL");
    s.counter("nearzero_sqlite_statement_errors_total", text, 5 - i);
    s.gauge("nearzero_sqlite_statement_code", code, 1);
  }
  begin_in_stage(s, "d4", "persist");
  const auto found = find(s);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_THAT(found[0].title, HasSubstr("in stage persist: INSERT 4"));
  ASSERT_EQ(found[0].evidence.size(), 5U);
  EXPECT_THAT(found[0].evidence[2].text, HasSubstr("errors of d0, of any code: 5/s"));
  EXPECT_EQ(found[0].evidence[4].value, 5);
}

TEST(DiskErrors, AgreeWhereBothTheDiskAndStatementsFail) {
  Scene s;
  add_database(s, "/data/orders.db", "sdc");
  fail_requests(s, "sdc", "write", 2);
  const double alone = find(s)[0].confidence;
  fail_statements(s, "SQLITE_IOERR", 2);
  const auto found = find(s);
  ASSERT_EQ(found.size(), 2U) << told(found);
  EXPECT_EQ(found[0].where, "host disk sdc");
  EXPECT_GT(found[0].confidence, alone);
  begin_in_stage(s, "bb02", "persist");
  EXPECT_EQ(find(s)[0].id, "disk_errors/demo/SQLITE_IOERR") << told(find(s));
}

}  // namespace
}  // namespace nz::analysis::test
