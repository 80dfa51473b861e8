#include "probes/sqlite/held_locks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <vector>

namespace nz::probes {
namespace {

using advice::DatabaseLock;
using advice::LockHolder;

LockHolder reader(int mark, uint64_t version) {
  return {.pid = 42,
          .comm = "demo",
          .lock = DatabaseLock::read,
          .mark = mark,
          .version = version,
          .pins_wal = true};
}
LockHolder holder(DatabaseLock lock, uint64_t version) {
  return {.pid = 42, .comm = "demo", .lock = lock, .version = version};
}

class HeldLocksTest : public ::testing::Test {
 protected:
  // At this second.
  void look(int second, const std::vector<LockHolder>& all, bool by_target = true) {
    const auto now = start + std::chrono::seconds(second);
    for (const LockHolder& h : all) locks.see(1, "/data/orders.db", h, by_target, now);
    locks.end_look(now);
  }
  /// How long the longest of the target's own transactions has been seen; nothing: there is none.
  [[nodiscard]] std::optional<double> own() const {
    std::optional<double> longest;
    for (const auto& [key, held] : locks.all()) {
      if (held.is_own_transaction()) longest = std::max(longest.value_or(0), held.seconds());
    }
    return longest;
  }
  HeldLocks locks;
  const HeldLocks::Clock::time_point start = HeldLocks::Clock::now();
};

TEST_F(HeldLocksTest, ATransactionLastsWhileItsVersionDoes) {
  look(0, {holder(DatabaseLock::write, 7)});
  look(3, {holder(DatabaseLock::write, 7)});
  EXPECT_EQ(own(), 3);
  look(4, {holder(DatabaseLock::write, 8)});
  EXPECT_EQ(own(), 0) << "another one";
  look(5, {});
  EXPECT_EQ(own(), std::nullopt);
}

// While one thread reads for long, others begin to read all the time.
TEST_F(HeldLocksTest, ReadsOfOneProcessAreApartByTheirMarks) {
  for (int i = 0; i <= 6; i++) look(i, {reader(1, 100), reader(2, 200 + static_cast<uint64_t>(i))});
  EXPECT_EQ(own(), 6);
}

TEST_F(HeldLocksTest, TheLongestReadIsWhatPinsTheWal) {
  for (int i = 0; i <= 6; i++) look(i, {reader(1, 100), reader(2, 200 + static_cast<uint64_t>(i))});
  const HeldLocks::Held* pin = locks.longest_pin(1, "/data/orders.db");
  ASSERT_NE(pin, nullptr);
  EXPECT_EQ(pin->holder.mark, 1);
  EXPECT_EQ(locks.longest_pin(1, "/data/other.db"), nullptr);
  EXPECT_EQ(locks.longest_pin(2, "/data/orders.db"), nullptr) << "another target's";
}

TEST_F(HeldLocksTest, ACheckpointIsNoTransaction) {
  look(0, {holder(DatabaseLock::checkpoint, 1), holder(DatabaseLock::recover, 1)});
  look(9, {holder(DatabaseLock::checkpoint, 1), holder(DatabaseLock::recover, 1)});
  EXPECT_EQ(own(), std::nullopt);
  EXPECT_EQ(locks.all().size(), 2U) << "but locks are held";
}

// PRAGMA locking_mode=EXCLUSIVE: it is there for good.
TEST_F(HeldLocksTest, ALockOfTheWholeFileIsNoTransaction) {
  LockHolder whole = holder(DatabaseLock::write, 7);
  whole.whole_file = true;
  look(0, {whole});
  look(9, {whole});
  EXPECT_EQ(own(), std::nullopt);
}

TEST_F(HeldLocksTest, WhatOthersHoldIsNoneOfTheTargets) {
  look(0, {holder(DatabaseLock::write, 7)}, false);
  EXPECT_EQ(own(), std::nullopt);
}

}  // namespace
}  // namespace nz::probes
