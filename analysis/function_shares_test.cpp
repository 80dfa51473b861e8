#include "analysis/function_shares.h"

#include <gtest/gtest.h>

namespace nz::analysis {
namespace {

constexpr double kStart = 1'000'000;

TEST(FunctionShares, HottestFirstWithShares) {
  FunctionShares shares;
  shares.add(kStart, 7, 300);
  shares.add(kStart + 25, 8, 600);
  shares.add(kStart + 30, 9, 100);
  const auto all = shares.hottest(2);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].function, 8U);
  EXPECT_EQ(all[0].samples, 600U);
  EXPECT_DOUBLE_EQ(all[0].share, 0.6);
  EXPECT_FALSE(all[0].before) << "there is no before yet";
  EXPECT_EQ(all[1].function, 7U);
  EXPECT_EQ(shares.samples(), 1000U);
}

TEST(FunctionShares, TheChangeIsAgainstTheTenMinutesBefore) {
  FunctionShares shares;
  for (int s = 0; s < 600; s += 10) {
    shares.add(kStart + s, 1, 70);
    shares.add(kStart + s, 2, 30);
  }
  for (int s = 600; s < 660; s += 10) {
    shares.add(kStart + s, 1, 20);
    shares.add(kStart + s, 3, 80);
  }
  const auto all = shares.hottest(10);
  ASSERT_EQ(all.size(), 2U) << "function 2 has no samples in the window";
  EXPECT_EQ(all[0].function, 3U);
  EXPECT_DOUBLE_EQ(all[0].share, 0.8);
  EXPECT_DOUBLE_EQ(all[0].before.value(), 0);
  EXPECT_DOUBLE_EQ(all[1].share, 0.2);
  EXPECT_DOUBLE_EQ(all[1].before.value(), 0.7);
}

TEST(FunctionShares, FewSamplesTellNothingOfAChange) {
  FunctionShares shares;
  shares.add(kStart, 1, 99);
  shares.add(kStart + 100, 1, 1000);
  EXPECT_FALSE(shares.hottest(1)[0].before);
  shares.add(kStart + 200, 1, 99);
  EXPECT_FALSE(shares.hottest(1)[0].before);
  shares.add(kStart + 200, 1, 1);
  EXPECT_TRUE(shares.hottest(1)[0].before);
}

TEST(FunctionShares, WhatIsOldIsForgotten) {
  FunctionShares shares;
  shares.add(kStart, 1, 500);
  shares.advance(kStart + 59);
  EXPECT_EQ(shares.samples(), 500U);
  shares.advance(kStart + 60);
  EXPECT_EQ(shares.samples(), 0U);
  EXPECT_TRUE(shares.hottest(5).empty());
  shares.add(kStart + 650, 2, 500);
  EXPECT_DOUBLE_EQ(shares.hottest(1)[0].before.value(), 0)
      << "function 1 is still in the reference";
  shares.add(kStart + 660, 2, 500);
  EXPECT_FALSE(shares.hottest(1)[0].before) << "and no longer";
  shares.advance(kStart + 1e6);
  EXPECT_TRUE(shares.hottest(5).empty());
}

TEST(FunctionShares, MoreFunctionsThanThereIsRoomForAreOther) {
  FunctionShares shares(FunctionShares::Options{.functions = 3});
  for (uint32_t f = 1; f <= 5; f++) shares.add(kStart, f, f);
  const auto all = shares.hottest(10);
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all[0].function, FunctionShares::kOther);
  EXPECT_EQ(all[0].samples, 9U);
  EXPECT_EQ(shares.samples(), 15U);
}

}  // namespace
}  // namespace nz::analysis
