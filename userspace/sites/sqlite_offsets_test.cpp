#include "userspace/sites/sqlite_offsets.h"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

namespace nz::sites {
namespace {

template <class T>
T at(const void* base, uint32_t offset) {
  T value;
  std::memcpy(&value, static_cast<const char*>(base) + offset, sizeof(value));
  return value;
}

/// The SQLite that this test runs with: what is derived from the file is compared with what it
/// does.
class SqliteOffsetsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Dl_info info{};
    ASSERT_NE(dladdr(reinterpret_cast<void*>(&sqlite3_libversion), &info), 0);
    const auto binary = Binary::open(info.dli_fname);
    ASSERT_TRUE(binary) << binary.error().text();
    offsets_ = derive_sqlite_offsets(*binary);
    file_ =
        std::filesystem::temp_directory_path() / ("nz_sites_" + std::to_string(getpid()) + ".db");
    ASSERT_EQ(sqlite3_open(file_.c_str(), &db_), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(db_, "CREATE TABLE t(x); INSERT INTO t VALUES(1),(2)", nullptr, nullptr,
                           nullptr),
              SQLITE_OK);
  }
  void TearDown() override {
    sqlite3_close(db_);
    std::filesystem::remove(file_);
  }
  sqlite3_stmt* prepare(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    EXPECT_EQ(sqlite3_prepare_v2(db_, sql, -1, &statement, nullptr), SQLITE_OK);
    return statement;
  }
  SqliteOffsets offsets_;
  std::filesystem::path file_;
  sqlite3* db_ = nullptr;
};

TEST_F(SqliteOffsetsTest, SqlTextAndDatabase) {
  ASSERT_TRUE(offsets_.sql.value) << offsets_.sql.why_not;
  ASSERT_TRUE(offsets_.db.value) << offsets_.db.why_not;
  sqlite3_stmt* statement = prepare("SELECT x FROM t");
  EXPECT_EQ(at<const char*>(statement, *offsets_.sql.value), sqlite3_sql(statement));
  EXPECT_STREQ(at<const char*>(statement, *offsets_.sql.value), "SELECT x FROM t");
  EXPECT_EQ(at<sqlite3*>(statement, *offsets_.db.value), db_);
  sqlite3_finalize(statement);
}

TEST_F(SqliteOffsetsTest, StateIsTwoWhileBusy) {
  if (sqlite3_libversion_number() < 3039000) GTEST_SKIP() << "eVdbeState came with 3.39";
  ASSERT_TRUE(offsets_.vdbe_state.value) << offsets_.vdbe_state.why_not;
  sqlite3_stmt* statement = prepare("SELECT x FROM t");
  EXPECT_NE(at<uint8_t>(statement, *offsets_.vdbe_state.value), 2);
  ASSERT_EQ(sqlite3_step(statement), SQLITE_ROW);
  EXPECT_EQ(at<uint8_t>(statement, *offsets_.vdbe_state.value), 2);
  EXPECT_TRUE(sqlite3_stmt_busy(statement));
  sqlite3_reset(statement);
  EXPECT_NE(at<uint8_t>(statement, *offsets_.vdbe_state.value), 2);
  sqlite3_finalize(statement);
}

TEST_F(SqliteOffsetsTest, ReadOnlyBit) {
  ASSERT_TRUE(offsets_.read_only.value) << offsets_.read_only.why_not;
  for (const char* sql : {"SELECT x FROM t", "INSERT INTO t VALUES(3)", "BEGIN", "SELECT 1+1"}) {
    sqlite3_stmt* statement = prepare(sql);
    const uint8_t byte = at<uint8_t>(statement, offsets_.read_only.value->offset);
    EXPECT_EQ((byte & offsets_.read_only.value->mask) != 0, sqlite3_stmt_readonly(statement) != 0)
        << sql;
    sqlite3_finalize(statement);
  }
}

TEST_F(SqliteOffsetsTest, ResultCode) {
  if (!offsets_.rc.value) GTEST_SKIP() << offsets_.rc.why_not;
  sqlite3_stmt* unique = prepare("CREATE UNIQUE INDEX u ON t(x)");
  ASSERT_EQ(sqlite3_step(unique), SQLITE_DONE);
  sqlite3_finalize(unique);
  sqlite3_stmt* statement = prepare("INSERT INTO t VALUES(1)");
  EXPECT_NE(sqlite3_step(statement), SQLITE_DONE);
  EXPECT_EQ(at<int>(statement, *offsets_.rc.value) & 0xff, SQLITE_CONSTRAINT);
  sqlite3_finalize(statement);
}

TEST_F(SqliteOffsetsTest, FileName) {
  if (!offsets_.file_name.value) GTEST_SKIP() << offsets_.file_name.why_not;
  const FileNameChain& chain = *offsets_.file_name.value;
  const void* list = at<const void*>(db_, chain.db_list);
  const void* btree = at<const void*>(list, chain.btree);
  const void* shared = at<const void*>(btree, chain.shared);
  const void* pager = at<const void*>(shared, chain.pager);
  EXPECT_STREQ(at<const char*>(pager, chain.file_name), sqlite3_db_filename(db_, "main"));
}

TEST_F(SqliteOffsetsTest, Version) {
  ASSERT_TRUE(offsets_.version.value) << offsets_.version.why_not;
  EXPECT_EQ(*offsets_.version.value, sqlite3_libversion());
}

TEST(SqliteOffsets, DebianLibraryHasEverything) {
  const char* path = "/usr/lib/x86_64-linux-gnu/libsqlite3.so.0";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not installed";
  const auto binary = Binary::open(path);
  ASSERT_TRUE(binary) << binary.error().text();
  const SqliteOffsets offsets = derive_sqlite_offsets(*binary);
  EXPECT_EQ(offsets.sql.value, 0xf8u) << offsets.sql.why_not;  // 3.40 to 3.53
  EXPECT_EQ(offsets.db.value, 0u) << offsets.db.why_not;
  EXPECT_TRUE(offsets.vdbe_state.value) << offsets.vdbe_state.why_not;
  EXPECT_TRUE(offsets.rc.value) << offsets.rc.why_not;
  EXPECT_TRUE(offsets.read_only.value) << offsets.read_only.why_not;
  EXPECT_TRUE(offsets.file_name.value) << offsets.file_name.why_not;
}

TEST(SqliteOffsets, BinaryWithoutSqliteHasReasons) {
  const auto binary = Binary::open(NZ_SITES_FIXTURE);
  ASSERT_TRUE(binary);
  const SqliteOffsets offsets = derive_sqlite_offsets(*binary);
  EXPECT_FALSE(offsets.sql.value);
  EXPECT_EQ(offsets.sql.why_not, "no symbol sqlite3_sql");
  EXPECT_FALSE(offsets.version.why_not.empty());
  EXPECT_FALSE(offsets.file_name.why_not.empty());
}

}  // namespace
}  // namespace nz::sites
