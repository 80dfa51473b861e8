// Somebody else's database: read without keeping a writer waiting, whatever it does.
#include "userspace/advice/read_only.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "userspace/advice/explainer.h"
#include "userspace/advice/test_database.h"

namespace nz::advice {
namespace {

using testing::Connection;
using testing::database_at;
using testing::Folder;
using ::testing::HasSubstr;
using testing::Other;

constexpr std::chrono::seconds kLimit{5};
constexpr const char* kLookup = "SELECT b FROM t WHERE a = ?1";

void create(const std::string& path, const std::string& journal) {
  Connection c(path);
  EXPECT_EQ(c.run("PRAGMA journal_mode=" + journal +
                  "; CREATE TABLE t(a, b); INSERT INTO t VALUES(1, 2);"),
            SQLITE_OK);
}

TEST(ReadOnly, ExplainsInWalModeWhileAWriterWrites) {
  const Folder folder;
  const std::string path = folder.file("a.db");
  create(path, "wal");
  const Other writer([&] {
    static Connection c(path);
    c.run("PRAGMA wal_autocheckpoint=0; BEGIN IMMEDIATE; INSERT INTO t VALUES(3, 4)");
  });
  auto opened = ReadOnly::open(database_at(path), kLimit);
  ASSERT_TRUE(opened.has_value()) << opened.error().text();
  const auto rows = (*opened)->explain(kLookup);
  ASSERT_TRUE(rows.has_value()) << rows.error().text();
  ASSERT_EQ(rows->size(), 1U);
  EXPECT_EQ((*rows)[0].detail, "SCAN t");
  const auto schema = (*opened)->schema();
  ASSERT_TRUE(schema.has_value()) << schema.error().text();
  EXPECT_EQ(schema->at(0), "CREATE TABLE t(a, b)");
}

// A connection that has read the schema, in any state that it is in between its calls: a writer
// with no patience at all commits, and a checkpoint that wants everything gets it.
TEST(ReadOnly, NeverKeepsAWriterWaiting) {
  for (const char* journal : {"wal", "delete", "truncate", "persist"}) {
    SCOPED_TRACE(journal);
    const Folder folder;
    const std::string path = folder.file("a.db");
    create(path, journal);
    const Other keeper([&] {
      static Connection c(path);
      c.run("SELECT * FROM t");
    });
    auto opened = ReadOnly::open(database_at(path), kLimit);
    ASSERT_TRUE(opened.has_value()) << opened.error().text();
    ASSERT_TRUE((*opened)->explain(kLookup).has_value());
    // A program of its own: a forked child would share this process' connections.
    const std::string writer =
        "sqlite3 -bail " + path +
        " 'BEGIN IMMEDIATE; INSERT INTO t VALUES(5, 6); COMMIT; PRAGMA wal_checkpoint(TRUNCATE);'"
        " > /dev/null";
    EXPECT_EQ(system(writer.c_str()), 0);
    const auto sizes = sizes_of(path);
    if (std::string(journal) == "wal") {
      EXPECT_EQ(sizes.wal, 0U) << "truncated";
    }
    // What was read is no longer so, and is not taken for it.
    const auto again = (*opened)->explain(kLookup);
    EXPECT_EQ(again.has_value(), std::string(journal) == "wal");
  }
}

// What it has written to the file by now is not committed.
TEST(ReadOnly, DoesNotReadARollbackDatabaseInTheMiddleOfATransaction) {
  const Folder folder;
  const std::string path = folder.file("a.db");
  create(path, "delete");
  const Other writer([&] {
    static Connection c(path);
    c.run(
        "PRAGMA cache_size=5; BEGIN IMMEDIATE; CREATE TABLE u(a); WITH RECURSIVE n(i) AS (SELECT 1 "
        "UNION "
        "ALL SELECT i + 1 FROM n WHERE i < 300) INSERT INTO u SELECT zeroblob(4000) FROM n");
  });
  const auto opened = ReadOnly::open(database_at(path), kLimit);
  ASSERT_FALSE(opened.has_value());
  EXPECT_THAT(opened.error().text(), HasSubstr("is being written"));
}

TEST(ReadOnly, LeavesNothingBehindAndChangesNothing) {
  const Folder folder;
  const std::string path = folder.file("a.db");
  create(path, "wal");
  EXPECT_FALSE(std::filesystem::exists(path + "-shm"));
  const auto before = header_of(path);
  {
    auto opened = ReadOnly::open(database_at(path), kLimit);
    if (opened) (void)(*opened)->explain(kLookup);
  }
  EXPECT_FALSE(std::filesystem::exists(path + "-shm"));
  EXPECT_FALSE(std::filesystem::exists(path + "-wal"));
  EXPECT_EQ(header_of(path)->change_counter, before->change_counter);
}

TEST(ReadOnly, RefusesAnotherFileAndWhatIsNoDatabase) {
  const Folder folder;
  const std::string path = folder.file("a.db");
  create(path, "delete");
  OpenDatabase other = database_at(path);
  other.file.inode++;
  EXPECT_THAT(ReadOnly::open(other, kLimit).error().text(), HasSubstr("mount namespace"));
  EXPECT_FALSE(ReadOnly::open(database_at("/etc/passwd"), kLimit).has_value());
  EXPECT_FALSE(ReadOnly::open(database_at(folder.file("none")), kLimit).has_value());
}

TEST(ReadOnly, GivesUpAfterItsLimit) {
  const Folder folder;
  const std::string path = folder.file("a.db");
  {
    Connection c(path);
    c.run("PRAGMA journal_mode=wal; BEGIN");
    for (int i = 0; i < 3000; i++) c.run("CREATE TABLE t" + std::to_string(i) + "(a, b)");
    c.run("COMMIT");
  }
  const Other keeper([&] {
    static Connection c(path);
    c.run("SELECT * FROM t1");
  });
  auto opened = ReadOnly::open(database_at(path), std::chrono::microseconds(100));
  ASSERT_TRUE(opened.has_value()) << opened.error().text();
  EXPECT_FALSE((*opened)->explain("SELECT * FROM t1").has_value());
}

TEST(ReadOnly, RunsNothing) {
  const Folder folder;
  const std::string path = folder.file("a.db");
  create(path, "wal");
  const Other keeper([&] {
    static Connection c(path);
    c.run("SELECT * FROM t");
  });
  auto opened = ReadOnly::open(database_at(path), kLimit);
  ASSERT_TRUE(opened.has_value());
  EXPECT_TRUE((*opened)->explain("DELETE FROM t").has_value());
  // Of several statements the first is looked at, the others are never seen.
  (void)(*opened)->explain("SELECT 1; DELETE FROM t; DROP TABLE t");
  (void)(*opened)->explain("ATTACH '" + folder.file("b.db") + "' AS other");
  EXPECT_FALSE(std::filesystem::exists(folder.file("b.db")));
  EXPECT_TRUE((*opened)->explain(kLookup).has_value());
}

TEST(Explainer, AnswersFromTheDatabasesThatAProcessHasOpen) {
  const Folder folder;
  const std::string path = folder.file("a.db");
  create(path, "wal");
  const Other service([&] {
    static Connection c(path);
    c.run("SELECT * FROM t");
  });
  const auto databases = databases_of(service.pid());
  ASSERT_EQ(databases.size(), 1U);
  EXPECT_EQ(databases[0].shown, std::filesystem::canonical(path));
  Explainer explainer({.pause = std::chrono::milliseconds(1), .limit = kLimit});
  explainer.ask({"d", "target", kLookup, service.pid()});
  explainer.ask({"e", "target", "SELECT nap(1) FROM t", service.pid()});
  for (int i = 0; i < 500 && !explainer.answer("target", "e"); i++) usleep(20'000);
  const auto answer = explainer.answer("target", "d");
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->problem, "");
  EXPECT_EQ(answer->explained.plan, "SCAN t");
  EXPECT_THAT(answer->explained.advice.at(0), HasSubstr("CREATE INDEX t_a ON t(a)"));
  EXPECT_THAT(explainer.answer("target", "e")->problem, HasSubstr("nap"));
  EXPECT_EQ(explainer.failed(), 1U);
  EXPECT_EQ(explainer.news().size(), 2U);
}

}  // namespace
}  // namespace nz::advice
