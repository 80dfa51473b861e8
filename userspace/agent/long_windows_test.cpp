#include "userspace/agent/long_windows.h"

#include <gtest/gtest.h>

#include <vector>

namespace nz::agent {
namespace {

class LongWindowsTest : public ::testing::Test {
 protected:
  std::vector<double> reads_;  // `to` of each
  LongWindows windows_{[this](double from, double to, const LongWindows::Families&) {
    reads_.push_back(to);
    analysis::Window window;
    window.from = from;
    window.to = to;
    return window;
  }};
};

TEST_F(LongWindowsTest, ShortOnesAreReadEachTime) {
  for (const double now : {10'000.0, 10'010.0, 10'020.0}) {
    EXPECT_EQ(windows_.window(now - 3600, now, {"a"}).to, now);
  }
  EXPECT_EQ(reads_.size(), 3U);
}

TEST_F(LongWindowsTest, LongOnesWhenATwoHundredthHasPassed) {
  const double six_hours = 6 * 3600, start = 1e6;
  for (double now = start; now <= start + 120; now += 10) {
    EXPECT_LE(now - windows_.window(now - six_hours, now, {"a"}).to, six_hours / 200);
  }
  EXPECT_EQ(reads_, (std::vector<double>{start, start + 110}));
}

TEST_F(LongWindowsTest, OtherFamiliesAndLengthsAreOthers) {
  const double now = 1e6;
  static_cast<void>(windows_.window(now - 7200, now, {"a"}));
  static_cast<void>(windows_.window(now - 7200, now, {"a", "b"}));
  static_cast<void>(windows_.window(now - 7300, now, {"a"}));
  static_cast<void>(windows_.window(now - 7200, now + 1e-7, {"a"}));
  EXPECT_EQ(reads_.size(), 3U);
}

TEST_F(LongWindowsTest, AfterAClockThatWasSetBackItIsReadAgain) {
  static_cast<void>(windows_.window(1e6 - 7200, 1e6, {"a"}));
  static_cast<void>(windows_.window(9e5 - 7200, 9e5, {"a"}));
  EXPECT_EQ(reads_.size(), 2U);
}

TEST_F(LongWindowsTest, WhatNobodyAsksForIsForgotten) {
  static_cast<void>(windows_.window(1e6 - 7200, 1e6, {"a"}));
  windows_.forget(1e6 + 1);
  static_cast<void>(windows_.window(1e6 + 2 - 7200, 1e6 + 2, {"a"}));
  EXPECT_EQ(reads_.size(), 2U);
}

}  // namespace
}  // namespace nz::agent
