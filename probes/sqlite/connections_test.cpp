#include "probes/sqlite/connections.h"

#include <gtest/gtest.h>

namespace nz::probes {
namespace {

nz_sqlite_stats at(uint64_t opens, uint64_t closes) {
  nz_sqlite_stats s{};
  s.opens = opens;
  s.closes = closes;
  return s;
}

uint64_t open_at(const SqliteConnections& c, uint32_t slot, const nz_sqlite_stats& now) {
  return c.open({{slot, now}}).at(slot);
}

TEST(SqliteConnections, ThoseFromBeforeAndWhatCameSince) {
  SqliteConnections c;
  c.begin(1, at(10, 4));
  EXPECT_EQ(open_at(c, 1, at(10, 4)), 0U);
  c.add(1, 3, at(10, 4), at(10, 4));
  EXPECT_EQ(open_at(c, 1, at(10, 4)), 3U);
  EXPECT_EQ(open_at(c, 1, at(12, 5)), 4U);
  // A further process begins nothing anew.
  c.begin(1, at(12, 5));
  c.add(1, 2, at(12, 5), at(12, 5));
  EXPECT_EQ(open_at(c, 1, at(12, 5)), 6U);
}

TEST(SqliteConnections, WhatTheProbesHaveCountedIsNotCountedTwice) {
  SqliteConnections c;
  c.begin(1, at(0, 0));
  // Of three files one was open before the probes came, two they have seen.
  c.add(1, 3, at(0, 0), at(3, 1));
  EXPECT_EQ(open_at(c, 1, at(3, 1)), 3U);
  // More was seen than there are files: one in memory.
  SqliteConnections memory;
  memory.begin(1, at(0, 0));
  memory.add(1, 1, at(0, 0), at(2, 0));
  EXPECT_EQ(open_at(memory, 1, at(2, 0)), 2U);
}

TEST(SqliteConnections, AProcessThatEndsClosesNothing) {
  SqliteConnections c;
  c.begin(1, at(0, 0));
  c.reset(1, 1, at(5, 2));
  EXPECT_EQ(open_at(c, 1, at(5, 2)), 1U);
  EXPECT_EQ(open_at(c, 1, at(5, 4)), 0U) << "never below none";
}

TEST(SqliteConnections, OfKnownSlotsAlone) {
  SqliteConnections c;
  c.begin(1, at(0, 0));
  EXPECT_TRUE(c.open({}).empty());
  EXPECT_TRUE(c.open({{2, at(1, 0)}}).empty());
  c.clear();
  EXPECT_TRUE(c.open({{1, at(1, 0)}}).empty());
}

}  // namespace
}  // namespace nz::probes
