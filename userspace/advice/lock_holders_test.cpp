// Real locks of real connections, in other processes.
#include "userspace/advice/lock_holders.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "userspace/advice/test_database.h"

namespace nz::advice {
namespace {

using testing::Connection;
using testing::database_at;
using testing::Folder;
using testing::Other;

std::optional<LockHolder> holder(const std::string& path, DatabaseLock lock, pid_t pid) {
  for (LockHolder& h : lock_holders(database_at(path), all_locks())) {
    if (h.lock == lock && h.pid == pid) return h;
  }
  return std::nullopt;
}

struct LockHolders : ::testing::TestWithParam<const char*> {};

TEST_P(LockHolders, TheWriterIsNamed) {
  const Folder folder;
  const std::string path = folder.file("a.db");
  {
    Connection c(path);
    c.run(std::string("PRAGMA journal_mode=") + GetParam() + "; CREATE TABLE t(a)");
  }
  Other writer([&] {
    static Connection c(path);
    c.run("BEGIN IMMEDIATE; INSERT INTO t VALUES(1)");
  });
  const Other idle([&] {
    static Connection c(path);
    c.run("SELECT * FROM t");
  });
  const auto h = holder(path, DatabaseLock::write, writer.pid());
  ASSERT_TRUE(h.has_value());
  EXPECT_EQ(h->comm, program_invocation_short_name);
  EXPECT_FALSE(holder(path, DatabaseLock::write, idle.pid()).has_value());
  EXPECT_EQ(holder(path, DatabaseLock::write, writer.pid())->version, h->version);
  const pid_t pid = writer.pid();
  writer.end();
  EXPECT_FALSE(holder(path, DatabaseLock::write, pid).has_value());
}

// Between its transactions, too.
TEST_P(LockHolders, WhoKeepsTheFileForItselfIsToldApart) {
  const Folder folder;
  const std::string path = folder.file("a.db");
  const Other keeper([&] {
    static Connection c(path);
    c.run(std::string("PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=") + GetParam() +
          "; CREATE TABLE t(a); INSERT INTO t VALUES(1)");
  });
  const Other writer([&] {
    static Connection c(folder.file("b.db"));
    c.run(std::string("PRAGMA journal_mode=") + GetParam() +
          "; CREATE TABLE t(a); BEGIN IMMEDIATE; INSERT INTO t VALUES(1)");
  });
  const auto kept = holder(path, DatabaseLock::write, keeper.pid());
  ASSERT_TRUE(kept.has_value());
  EXPECT_TRUE(kept->whole_file);
  const auto written = holder(folder.file("b.db"), DatabaseLock::write, writer.pid());
  ASSERT_TRUE(written.has_value());
  EXPECT_FALSE(written->whole_file);
}

INSTANTIATE_TEST_SUITE_P(All, LockHolders, ::testing::Values("wal", "delete"),
                         [](const auto& info) { return std::string(info.param); });

TEST(LockHoldersOfWal, AReaderThatPinsItIsNamed) {
  const Folder folder;
  const std::string path = folder.file("a.db");
  Connection writer(path);
  writer.run(
      "PRAGMA journal_mode=wal; PRAGMA wal_autocheckpoint=0; CREATE TABLE t(a); "
      "INSERT INTO t VALUES(1)");
  const Other reader([&] {
    static Connection c(path);
    c.run("BEGIN; SELECT * FROM t");
  });
  auto h = holder(path, DatabaseLock::read, reader.pid());
  ASSERT_TRUE(h.has_value());
  EXPECT_FALSE(h->pins_wal) << "it has seen everything";
  for (int i = 0; i < 50; i++) writer.run("INSERT INTO t VALUES(2)");
  writer.run("PRAGMA wal_checkpoint(PASSIVE)");
  const auto state = wal_state_of(path);
  ASSERT_TRUE(state.has_value());
  EXPECT_GE(state->frames, 50U);
  EXPECT_LT(state->checkpointed, state->frames) << "the reader is in the way";
  EXPECT_GE(state->lag(), 50U);
  h = holder(path, DatabaseLock::read, reader.pid());
  ASSERT_TRUE(h.has_value());
  EXPECT_TRUE(h->pins_wal);
  const auto sizes = sizes_of(path);
  EXPECT_GE(sizes.wal, 50U * 4096);
  EXPECT_GT(sizes.main, 0U);
  EXPECT_EQ(sizes.shm, 32768U);
}

// wal.c: a checkpoint has mark 0 for itself while it copies.
TEST(LockHoldersOfWal, ACheckpointIsNoReaderThatPinsIt) {
  const Folder folder;
  const std::string path = folder.file("a.db");
  Connection writer(path);
  writer.run("PRAGMA journal_mode=wal; PRAGMA wal_autocheckpoint=0; CREATE TABLE t(a)");
  struct stat index {};
  ASSERT_EQ(stat((path + "-shm").c_str(), &index), 0);
  FileLock lock{.write = false,
                .pid = getpid(),
                .file = {index.st_dev, index.st_ino},
                .first = 123,
                .last = 123};
  auto held = lock_holders(database_at(path), {lock});
  ASSERT_EQ(held.size(), 1U);
  EXPECT_EQ(held[0].lock, DatabaseLock::read);
  EXPECT_TRUE(held[0].pins_wal) << "who reads the file alone";
  lock.write = true;
  lock.first = 121;  // with the lock of the checkpoint, or all of them
  held = lock_holders(database_at(path), {lock});
  ASSERT_FALSE(held.empty());
  for (const LockHolder& h : held) EXPECT_NE(h.lock, DatabaseLock::read);
}

TEST(ParseLocks, UnderstandsLinesAndLeavesOutOthers) {
  const auto locks = parse_locks(
      "1: POSIX  ADVISORY  WRITE 708 fe:01:131 120 120\n"
      "2: FLOCK  ADVISORY  WRITE 9 fe:01:132 0 EOF\n"
      "3: POSIX  ADVISORY  READ  1234 00:2f:99999999999 1073741826 EOF\n"
      "3: -> POSIX  ADVISORY  WRITE 77 00:2f:5 0 EOF\n"
      "garbage\n4: POSIX\n5: POSIX ADVISORY WRITE x y z\n\n");
  ASSERT_EQ(locks.size(), 3U);
  EXPECT_TRUE(locks[0].write);
  EXPECT_EQ(locks[0].pid, 708);
  EXPECT_EQ(locks[0].file.inode, 131U);
  EXPECT_EQ(locks[0].first, 120U);
  EXPECT_EQ(locks[0].last, 120U);
  EXPECT_EQ(locks[1].last, UINT64_MAX);
  EXPECT_FALSE(locks[1].waits);
  EXPECT_TRUE(locks[2].waits);
}

TEST(DatabaseHeader, OfOtherFilesIsAnError) {
  const Folder folder;
  const std::string path = folder.file("a.db");
  EXPECT_FALSE(header_of(path).has_value());
  EXPECT_FALSE(header_of("/etc/passwd").has_value());
  EXPECT_FALSE(wal_state_of("/etc/passwd").has_value());
  Connection c(path);
  c.run("PRAGMA page_size=65536; CREATE TABLE t(a)");
  const auto header = header_of(path);
  ASSERT_TRUE(header.has_value());
  EXPECT_EQ(header->page_size, 65536U);
  EXPECT_EQ(header->pages, 2U);
  EXPECT_FALSE(header->wal_mode);
}

}  // namespace
}  // namespace nz::advice
