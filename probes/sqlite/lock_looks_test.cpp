#include "probes/sqlite/lock_looks.h"

#include <gtest/gtest.h>

#include <string>

namespace nz::probes {
namespace {

using metrics::Labels;
using std::chrono::minutes;

Labels lock_of(const std::string& comm, const std::string& database = "/data/orders.db") {
  return {{"target", "demo"}, {"database", database}, {"lock", "write"}, {"comm", comm}};
}

// 0: there is no such series.
double looks(const LockLooks& all, const Labels& labels) {
  for (const metrics::Sample& s : all.samples())
    if (s.labels == labels) return s.value;
  return 0;
}

class LockLooksTest : public ::testing::Test {
 protected:
  void look(const std::set<Labels>& held, minutes at) { all.add(held, start + at); }
  // A series each, in one look.
  void fill(minutes at) {
    std::set<Labels> held;
    for (std::size_t i = 0; i < LockLooks::kSeries; i++)
      held.insert(lock_of("comm" + std::to_string(i)));
    look(held, at);
  }
  LockLooks all;
  const LockLooks::Clock::time_point start = LockLooks::Clock::now();
};

TEST_F(LockLooksTest, AreCountedBySeries) {
  look({lock_of("demo"), lock_of("backup")}, minutes(0));
  look({lock_of("demo")}, minutes(1));
  look({}, minutes(2));
  EXPECT_EQ(looks(all, lock_of("demo")), 2);
  EXPECT_EQ(looks(all, lock_of("backup")), 1);
}

TEST_F(LockLooksTest, WhoWasNotSeenForAnHourIsForgotten) {
  look({lock_of("demo"), lock_of("backup")}, minutes(0));
  look({lock_of("demo")}, minutes(59));
  EXPECT_EQ(looks(all, lock_of("backup")), 1);
  look({}, minutes(60));
  EXPECT_EQ(looks(all, lock_of("backup")), 0);
  EXPECT_EQ(looks(all, lock_of("demo")), 1 + 1);
  look({lock_of("backup")}, minutes(61));
  EXPECT_EQ(looks(all, lock_of("backup")), 1) << "anew";
}

TEST_F(LockLooksTest, BeyondTheLimitDatabasesAndNamesAreOther) {
  fill(minutes(0));
  for (int i = 0; i < 3; i++) {
    const std::string n = std::to_string(i);
    look({lock_of("new" + n, "/tmp/" + n + ".db"), lock_of("more" + n, "/tmp/" + n + ".db"),
          lock_of("comm7")},
         minutes(1));
  }
  EXPECT_EQ(all.samples().size(), LockLooks::kSeries + 1);
  EXPECT_EQ(looks(all, lock_of("other", "other")), 3) << "two in one look are seen once";
  EXPECT_EQ(looks(all, lock_of("comm7")), 4) << "one that is known keeps its name";
}

TEST_F(LockLooksTest, WhatWasForgottenMakesRoom) {
  fill(minutes(0));
  look({lock_of("new")}, minutes(60));
  EXPECT_EQ(all.samples().size(), 1U);
  EXPECT_EQ(looks(all, lock_of("new")), 1);
}

}  // namespace
}  // namespace nz::probes
