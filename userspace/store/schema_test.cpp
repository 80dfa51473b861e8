#include "userspace/store/schema.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <cerrno>
#include <fstream>
#include <set>

#include "userspace/store/compaction.h"
#include "userspace/store/database.h"
#include "userspace/store/retention.h"
#include "userspace/store/series_table.h"
#include "userspace/store/test_store.h"

namespace nz::store {
namespace {

using testing::Folder;

void sql(const std::string& path, const char* text) {
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(db, text, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
  sqlite3_close(db);
}

TEST(Schema, ANewFileIsInWalModeAndGivesPagesBack) {
  const Folder folder;
  auto c = open_to_write(folder.file("sub/history.db"));
  ASSERT_TRUE(c) << c.error().text();
  EXPECT_EQ((*c)->number("PRAGMA user_version"), kSchemaVersion);
  EXPECT_EQ((*c)->number("PRAGMA auto_vacuum"), 2) << "incremental";
  EXPECT_EQ((*c)->number("PRAGMA synchronous"), 2) << "full";
  Rows mode = (*c)->query("PRAGMA journal_mode");
  ASSERT_TRUE(mode.next());
  EXPECT_EQ(mode.bytes(0), "wal");
  struct stat s {};
  ASSERT_EQ(stat(folder.file("sub/history.db").c_str(), &s), 0);
  EXPECT_EQ(s.st_mode & 07777, 0640U);
}

TEST(Schema, AnOlderFileIsMigratedInOneTransaction) {
  const Folder folder;
  auto c = open_to_write(folder.file());
  ASSERT_TRUE(c);
  auto steps = migrations();
  steps.push_back({2, [](Connection& k) { k.script("CREATE TABLE added(x)"); }});
  steps.push_back({3, [](Connection& k) { k.script("INSERT INTO added VALUES(7)"); }});
  ASSERT_TRUE(migrate(**c, steps));
  EXPECT_EQ((*c)->number("SELECT x FROM added"), 7);
  EXPECT_EQ((*c)->number("PRAGMA user_version"), 3);
  steps.push_back({4, [](Connection& k) { k.script("INSERT INTO nowhere VALUES(7)"); }});
  EXPECT_FALSE(migrate(**c, steps));
  EXPECT_EQ((*c)->number("PRAGMA user_version"), 3) << "nothing of a failed one stays";
}

TEST(Schema, ANewerFileAndAnotherProgramsAreRefusedAndStay) {
  const Folder folder;
  { ASSERT_TRUE(open_to_write(folder.file())); }
  sql(folder.file(), "PRAGMA user_version=99");
  const auto newer = open_to_write(folder.file());
  ASSERT_FALSE(newer);
  EXPECT_EQ(newer.error().code, EPROTONOSUPPORT);
  EXPECT_NE(newer.error().text().find("schema 99"), std::string::npos) << newer.error().text();
  EXPECT_FALSE(open_to_read(folder.file()));

  // Others number their versions, too; 0 is that of those who do not.
  for (const int version : {0, 1, 99}) {
    const std::string path = folder.file("other" + std::to_string(version) + ".db");
    const std::string text =
        "CREATE TABLE orders(id); PRAGMA user_version=" + std::to_string(version);
    sql(path, text.c_str());
    const auto other = open_to_write(path);
    ASSERT_FALSE(other) << version;
    EXPECT_EQ(other.error().code, EEXIST) << version;
    const auto read = open_to_read(path);
    ASSERT_FALSE(read) << version;
    EXPECT_NE(read.error().what.find("has no history"), std::string::npos) << read.error().what;
    sql(path, "INSERT INTO orders VALUES(1)");
  }

  const auto folder_as_file = open_to_write(folder.path());
  ASSERT_FALSE(folder_as_file);
  EXPECT_EQ(folder_as_file.error().code, EISDIR);
}

TEST(Schema, ReadingNeedsAFileWithHistory) {
  const Folder folder;
  const auto missing = open_to_read(folder.file());
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ENOENT);
  std::ofstream(folder.file()).flush();
  EXPECT_FALSE(open_to_read(folder.file())) << "empty";
  std::ofstream(folder.file("text")) << std::string(10'000, 'x');
  const auto text = open_to_read(folder.file("text"));
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, kDamaged);
}

TEST(Schema, KeysOfBlocksAreSortedByLevelSeriesAndTime) {
  EXPECT_LT(block_key(Level::raw, kMostSeriesId, 1'000'000'000'000'000),
            block_key(Level::minute, 0, 0));
  EXPECT_LT(block_key(Level::minute, 6, 9'000'000'000'000), block_key(Level::minute, 7, 0));
  EXPECT_LT(block_key(Level::minute, 7, 1'000'000), block_key(Level::minute, 7, 2'000'000));
  EXPECT_GT(block_key(Level::raw, 0, 0), -1);
  EXPECT_LT(recent_key(Level::raw, chunk_of(kMostSeriesId), kLastInterval),
            recent_key(Level::minute, 0, 0));
  EXPECT_LT(recent_key(Level::hour, 6, kLastInterval), recent_key(Level::hour, 7, 0));
  EXPECT_EQ(period_of(Level::minute, 0), 0);
  EXPECT_EQ(period_of(Level::minute, block_ms(Level::minute) - 1), 0);
  EXPECT_EQ(period_of(Level::minute, -1), -block_ms(Level::minute));
}

TEST(SeriesTable, LabelsOfAnyBytesKeepTheirOrder) {
  const metrics::Labels labels{{"b", ""}, {"a", std::string("\0\xff\"x", 4)}, {"", "y"}};
  EXPECT_EQ(unpack_labels(pack_labels(labels)), labels);
  EXPECT_TRUE(unpack_labels("").empty());
  for (const char* bad : {"\x05", "\x01", "\xff\xff\xff\xff\xff"}) (void)unpack_labels(bad);
}

TEST(SeriesTable, TheAgentsNumberTakesOverWhatAnImportBrought) {
  const Folder folder;
  auto opened = open_to_write(folder.file());
  ASSERT_TRUE(opened);
  Connection& c = **opened;
  SeriesTable table(c);
  history::Series series{"g", {{"k", "v"}}, metrics::Type::gauge};
  history::Series other{"h", {}, metrics::Type::gauge};
  const std::uint32_t imported = table.find_or_enter(series, 1);
  EXPECT_EQ(imported, kFirstImportedId);
  EXPECT_EQ(table.find_or_enter(series, 1), imported);
  EXPECT_EQ(table.find_or_enter(other, 1), imported + 1);
  c.run("INSERT INTO blocks VALUES(?,1,0,1,1,1,'x')",
        block_key(Level::minute, imported, 28'800'000));
  table.enter({3, series}, 1);
  EXPECT_EQ(c.number("SELECT id FROM series WHERE name='g'"), 3);
  EXPECT_EQ(c.number("SELECT key FROM blocks"), block_key(Level::minute, 3, 28'800'000));
  EXPECT_TRUE(c.outcome());
}

class RetentionTest : public ::testing::Test {
 protected:
  static constexpr std::int64_t kNow = testing::kMidnightMs, kOneDay = 86'400'000;

  void SetUp() override {
    auto opened = open_to_write(folder.file());
    ASSERT_TRUE(opened);
    file = std::move(*opened);
  }

  const Folder folder;
  std::unique_ptr<Connection> file;
};

TEST_F(RetentionTest, RawIntervalsGoBeforeMinutesWhereThereIsTooMuch) {
  Connection& c = *file;
  c.run("INSERT INTO intervals(level,from_ms,to_ms) VALUES(?,?,?)", Level::raw, kNow - kOneDay,
        kNow - kOneDay + 10'000);
  const std::int64_t seq = c.last_id();
  const std::string megabyte(1U << 20U, 'x');
  c.run("INSERT INTO recent(key,seq,cells) VALUES(?,?,?)", recent_key(Level::raw, 0, seq), seq,
        Blob{megabyte});
  c.run("INSERT INTO meta(key,value) VALUES(?,?)", kRolledUp[index_of(Level::raw)], seq);
  c.run("INSERT INTO blocks VALUES(?,1,?,?,1,1,'x')",
        block_key(Level::minute, 1, kNow - 3 * kOneDay), kNow - 3 * kOneDay, kNow - 2 * kOneDay);
  const Retention::Limits limits{{kOneDay, kOneDay, kOneDay}, 512U << 10U};
  Retention(limits).step(c, kNow, false);
  EXPECT_EQ(c.number("SELECT count(*) FROM intervals"), 0);
  EXPECT_EQ(c.number("SELECT count(*) FROM blocks"), 1) << "the raw one was enough";
  const Retention::Limits less{{kOneDay, kOneDay, kOneDay}, 1};
  Retention(less).step(c, kNow, false);
  EXPECT_EQ(c.number("SELECT count(*) FROM blocks"), 0);
  EXPECT_TRUE(c.outcome());
}

TEST_F(RetentionTest, OfTooManyEventsTheOldestGoInSlices) {
  Connection& c = *file;
  // 102,000 of them, the oldest entered last, as an import does.
  c.run(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<102000) "
      "INSERT INTO events(at_ms,kind,target,text) SELECT 1000000-i,'k','host','' FROM n");
  const Retention::Limits limits{{1'000'000, 1'000'000, 1'000'000}, 1U << 30U};
  Retention(limits).step(c, 1'000'000, true);
  EXPECT_EQ(c.number("SELECT count(*) FROM events"), 101'000);
  EXPECT_EQ(c.number("SELECT min(at_ms) FROM events"), 1'000'000 - 101'000);
  EXPECT_EQ(c.number("SELECT max(at_ms) FROM events"), 1'000'000 - 1);
  EXPECT_TRUE(c.outcome());
}

TEST_F(RetentionTest, SeriesThatNoLevelHoldsGoBeforeTheirAge) {
  Connection& c = *file;
  for (const int days : {5, 3, 0})
    c.run("INSERT INTO series(id,name,labels,type,last_ms) VALUES(?,?,'',0,?)", 10 + days,
          std::to_string(days), kNow - days * kOneDay);
  c.run("INSERT INTO blocks VALUES(?,1,?,?,1,1,'x')",
        block_key(Level::minute, 13, kNow - 4 * kOneDay), kNow - 4 * kOneDay, kNow - 3 * kOneDay);
  const Retention::Limits limits{{100 * kOneDay, 100 * kOneDay, 100 * kOneDay}, 1U << 30U};
  EXPECT_EQ(Retention(limits).step(c, kNow, true), std::vector<std::uint32_t>{15});
  EXPECT_EQ(c.number("SELECT count(*) FROM series"), 2);
  const Retention::Limits shorter{{kOneDay, kOneDay, 2 * kOneDay}, 1U << 30U};
  EXPECT_EQ(Retention(shorter).step(c, kNow, true), std::vector<std::uint32_t>{13});
  EXPECT_EQ(c.number("SELECT id FROM series"), 10);
  EXPECT_TRUE(c.outcome());
}

TEST_F(RetentionTest, WhatTheFutureHoldsGoesFirstWhereThereIsTooMuch) {
  Connection& c = *file;
  constexpr std::int64_t kAhead = kNow + 300 * kOneDay;  // by a clock that was wrong
  const std::string megabyte(1U << 20U, 'x');
  c.run("INSERT INTO blocks VALUES(?,1,?,?,1,1,'x')",
        block_key(Level::minute, 1, kNow - 3 * kOneDay), kNow - 3 * kOneDay, kNow - 2 * kOneDay);
  c.run("INSERT INTO blocks VALUES(?,1,?,?,1,1,?)", block_key(Level::minute, 1, kAhead), kAhead,
        kAhead + 60'000, Blob{megabyte});
  c.run("INSERT INTO intervals(level,from_ms,to_ms) VALUES(0,?,?)", kAhead, kAhead + 10'000);
  c.run("INSERT INTO meta(key,value) VALUES(?,1)", kRolledUp[index_of(Level::raw)]);
  const Retention::Limits limits{{100 * kOneDay, 100 * kOneDay, 100 * kOneDay}, 768U << 10U};
  Retention(limits).step(c, kNow, false);
  EXPECT_EQ(c.number("SELECT count(*) FROM blocks"), 2) << "which clock is wrong is not known yet";
  Retention(limits).step(c, kNow, true);
  EXPECT_EQ(c.number("SELECT from_ms FROM blocks"), kNow - 3 * kOneDay);
  EXPECT_EQ(c.number("SELECT count(*) FROM blocks"), 1);
  EXPECT_EQ(c.number("SELECT count(*) FROM intervals"), 0);
  EXPECT_TRUE(c.outcome());
}

TEST_F(RetentionTest, OldEventsAndReportsGoBeforeHistoryIsEmptied) {
  Connection& c = *file;
  constexpr std::int64_t kOneHour = 3'600'000;
  c.run(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<3000) INSERT INTO "
      "events(at_ms,kind,target,text) SELECT i,'k','host',hex(zeroblob(512)) FROM n");
  c.run(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<20) INSERT INTO "
      "reports SELECT 'r'||i,i,0,1,'',0,1,1,'x' FROM n");
  c.run("INSERT INTO blocks VALUES(?,1,?,?,1,1,'x')", block_key(Level::minute, 1, kNow - kOneHour),
        kNow - kOneHour, kNow - kOneHour + 60'000);
  const Retention::Limits limits{{100 * kOneHour, 100 * kOneHour, 100 * kOneHour}, 2U << 20U};
  Retention(limits).step(c, kNow, false);
  EXPECT_EQ(c.number("SELECT count(*) FROM events"), 2000);
  EXPECT_EQ(c.number("SELECT min(at_ms) FROM events"), 1001) << "the oldest went";
  EXPECT_EQ(c.number("SELECT min(created_ms) FROM reports"), 11);
  Retention(limits).step(c, kNow, false);
  EXPECT_EQ(c.number("SELECT count(*) FROM events"), 1000);
  EXPECT_EQ(c.number("SELECT count(*) FROM blocks"), 1);
  const Retention::Limits less{{100 * kOneHour, 100 * kOneHour, 100 * kOneHour}, 1};
  Retention(less).step(c, kNow, false);
  EXPECT_EQ(c.number("SELECT count(*) FROM events"), 1000) << "so many stay";
  EXPECT_EQ(c.number("SELECT count(*) FROM blocks"), 0);
  EXPECT_TRUE(c.outcome());
}

TEST(Connection, AFailureSticksUntilItIsToldAndATransactionIsRolledBack) {
  const Folder folder;
  auto opened = open_to_write(folder.file());
  ASSERT_TRUE(opened);
  Connection& c = **opened;
  {
    Transaction t(c, Transaction::Kind::write);
    c.run("INSERT INTO state VALUES('a', 'b')");
    c.run("INSERT INTO nowhere VALUES(1)");
    c.run("INSERT INTO state VALUES('c', 'd')");
    EXPECT_TRUE(c.failed());
    const auto done = t.commit();
    ASSERT_FALSE(done);
    EXPECT_NE(done.error().what.find("nowhere"), std::string::npos) << done.error().what;
  }
  EXPECT_FALSE(c.failed());
  EXPECT_FALSE(c.in_transaction());
  EXPECT_EQ(c.number("SELECT count(*) FROM state"), 0);
}

TEST(Database, KnowsItsFilesByWhateverName) {
  const Folder folder;
  const auto opened = open_to_write(folder.file());
  ASSERT_TRUE(opened);
  std::filesystem::create_symlink(folder.file(), folder.file("link"));
  std::filesystem::create_hard_link(folder.file() + "-wal", folder.file("log"));
  std::ofstream(folder.file("other")).flush();
  EXPECT_TRUE(belongs_to(folder.file(), folder.file()));
  EXPECT_TRUE(belongs_to(folder.path() + "/./history.db", folder.file()));
  EXPECT_TRUE(belongs_to(folder.file("link"), folder.file()));
  EXPECT_TRUE(belongs_to(folder.file("log"), folder.file()));
  EXPECT_FALSE(belongs_to(folder.file("other"), folder.file()));
  EXPECT_FALSE(belongs_to(folder.file("new"), folder.file()));
  EXPECT_FALSE(belongs_to(folder.file("new"), folder.file("missing.db")));
}

TEST(Database, OnlyOneRecordsAndADamagedFileIsSetAside) {
  const Folder folder;
  {
    const auto first = lock_for_recording(folder.file());
    ASSERT_TRUE(first);
    const auto second = lock_for_recording(folder.file());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, EWOULDBLOCK);
    EXPECT_NE(second.error().what.find(std::to_string(getpid())), std::string::npos);
  }
  EXPECT_TRUE(lock_for_recording(folder.file()));

  std::set<std::string> names;
  for (int i = 0; i < 5; i++) {
    std::ofstream(folder.file()) << "no database";
    std::ofstream(folder.file() + "-wal") << "no log";
    const auto name = set_aside(folder.file(), 1'700'000'000 + i);
    ASSERT_TRUE(name) << name.error().text();
    EXPECT_FALSE(std::filesystem::exists(folder.file()));
    EXPECT_FALSE(std::filesystem::exists(folder.file() + "-wal"));
    EXPECT_TRUE(std::filesystem::exists(*name + "-wal"));
    names.insert(*name);
  }
  std::size_t left = 0;
  for (const std::string& name : names) left += std::filesystem::exists(name) ? 1 : 0;
  EXPECT_EQ(left, 2U);
  EXPECT_TRUE(std::filesystem::exists(*names.rbegin())) << "the newest stay";
}

}  // namespace
}  // namespace nz::store
