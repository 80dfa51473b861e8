#include "userspace/advice/journal_advice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "userspace/advice/test_database.h"

namespace nz::advice {
namespace {

using ::testing::AllOf;
using testing::Connection;
using testing::database_at;
using ::testing::ElementsAre;
using testing::Folder;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

JournalState rollback() { return {"/data/orders.db", false, 4096, std::nullopt, {}}; }
JournalState wal(uint32_t frames = 100, uint32_t checkpointed = 100) {
  WalState state;
  state.frames = frames;
  state.checkpointed = checkpointed;
  return {"/data/orders.db", true, 4096, state, {}};
}

TEST(JournalAdvice, ACommitThatSyncsARollbackJournalWantsAWal) {
  const StatementWaits commit{.inside = 0.010, .sync = 0.009};
  EXPECT_THAT(journal_advice(commit, rollback()),
              ElementsAre(AllOf(StartsWith("PRAGMA journal_mode=WAL on /data/orders.db"),
                                HasSubstr("9 of 10 ms"))));
}

TEST(JournalAdvice, AReadThatWaitsForAWriterWantsAWal) {
  StatementWaits waits{.inside = 0.100, .busy = 0.098, .reads = true};
  EXPECT_THAT(journal_advice(waits, rollback()),
              ElementsAre(AllOf(StartsWith("PRAGMA journal_mode=WAL"), HasSubstr("98 of 100 ms"))));
  waits.reads = false;
  EXPECT_THAT(journal_advice(waits, rollback()), IsEmpty())
      << "two writers exclude each other in either mode";
  waits.reads = true;
  EXPECT_THAT(journal_advice(waits, wal()), IsEmpty());
}

TEST(JournalAdvice, ACheckpointOnTheOrderPathBelongsOnAThreadOfItsOwn) {
  // Its syncs are part of it: one advice, not two.
  const StatementWaits commit{.inside = 0.030, .sync = 0.020, .checkpoint = 0.029};
  EXPECT_THAT(journal_advice(commit, wal()),
              ElementsAre(AllOf(StartsWith("PRAGMA wal_autocheckpoint=0"), HasSubstr("29 of 30 ms"),
                                HasSubstr("its commit set off"))));
}

TEST(JournalAdvice, SyncsOfTheWalAreAChoice) {
  const StatementWaits commit{.inside = 0.010, .sync = 0.009};
  EXPECT_THAT(journal_advice(commit, wal()),
              ElementsAre(AllOf(StartsWith("PRAGMA synchronous=NORMAL"),
                                HasSubstr("a power failure may take the last commits"))));
}

TEST(JournalAdvice, ALongWalIsNamedWithWhoIsInTheWay) {
  const StatementWaits read{.inside = 0.010, .reads = true};
  EXPECT_THAT(journal_advice(read, wal(16'000, 0)), IsEmpty()) << "62.5 MiB";
  JournalState state = wal(50'000, 10'000);
  EXPECT_THAT(journal_advice(read, state),
              ElementsAre(AllOf(StartsWith("Checkpoint /data/orders.db: 40000 pages (156 MiB)"),
                                HasSubstr("on a thread of its own"))));
  state.pinned_by = "report (pid 12)";
  EXPECT_THAT(journal_advice(read, state),
              ElementsAre(HasSubstr("report (pid 12) reads an old state and is in the way")));
}

TEST(JournalAdvice, WhatIsNotTheStatementsTimeIsNotAdvisedAgainst) {
  for (const StatementWaits& waits : {StatementWaits{.inside = 0.010, .sync = 0.004},
                                      StatementWaits{.inside = 0.0009, .sync = 0.0009},
                                      StatementWaits{.inside = 0.5}, StatementWaits{}}) {
    EXPECT_THAT(journal_advice(waits, rollback()), IsEmpty());
    EXPECT_THAT(journal_advice(waits, wal()), IsEmpty());
  }
}

TEST(JournalState, IsReadFromTheFiles) {
  const Folder folder;
  const std::string path = folder.file("a.db");
  EXPECT_FALSE(journal_state_of(database_at(path)).has_value());
  Connection writer(path);
  writer.run("CREATE TABLE t(a); INSERT INTO t VALUES(1)");
  auto state = journal_state_of(database_at(path));
  ASSERT_TRUE(state.has_value()) << state.error().text();
  EXPECT_FALSE(state->wal_mode);
  EXPECT_EQ(state->page_size, 4096U);
  EXPECT_FALSE(state->wal.has_value());
  writer.run("PRAGMA journal_mode=wal; PRAGMA wal_autocheckpoint=0");
  for (int i = 0; i < 20; i++) writer.run("INSERT INTO t VALUES(2)");
  state = journal_state_of(database_at(path));
  ASSERT_TRUE(state.has_value());
  EXPECT_TRUE(state->wal_mode);
  ASSERT_TRUE(state->wal.has_value());
  EXPECT_GE(state->wal->lag(), 20U);
}

}  // namespace
}  // namespace nz::advice
