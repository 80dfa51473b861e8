#include "analysis/duty.h"

#include <gtest/gtest.h>

namespace nz::analysis {
namespace {

TEST(Duty, WhatWasNeverSeenIsObservedWhole) {
  const Duty duty;
  EXPECT_EQ(duty.full_share(), 0);
  EXPECT_EQ(duty.ratio(0.01), 1);
}

TEST(Duty, WithinTheBudgetThereIsNoPause) {
  Duty duty;
  duty.observe(0.05, 5);  // 1 % of a core
  EXPECT_EQ(duty.ratio(0.01), 1);
  EXPECT_EQ(duty.ratio(0.0096), 1) << "not worth pausing";
}

TEST(Duty, TheDearerTheLess) {
  Duty duty;
  duty.observe(0.2, 5);  // 4 % of a core
  EXPECT_DOUBLE_EQ(duty.full_share(), 0.04);
  EXPECT_DOUBLE_EQ(duty.ratio(0.01), 0.0625);
  duty.observe(0.04, 1);  // seen for a second only: the same
  EXPECT_DOUBLE_EQ(duty.ratio(0.01), 0.0625);
}

TEST(Duty, FollowsALoadThatChanges) {
  Duty duty;
  duty.observe(0.04, 1);
  duty.observe(0.08, 1);
  EXPECT_DOUBLE_EQ(duty.full_share(), 0.08) << "up at once";
  duty.observe(0.04, 1);
  EXPECT_DOUBLE_EQ(duty.full_share(), 0.06) << "down by halves";
  for (int i = 0; i < 12; i++) duty.observe(0, 1);
  EXPECT_EQ(duty.ratio(0.01), 1) << "it came to rest";
}

TEST(Duty, NeverLessThanTheLeast) {
  Duty duty;
  duty.observe(5, 1);
  EXPECT_EQ(duty.ratio(0.001), Duty::kLeast);
  EXPECT_EQ(duty.ratio(0), Duty::kLeast);
  EXPECT_EQ(duty.ratio(-1), Duty::kLeast) << "the scheduler alone is over the budget";
}

TEST(Duty, NonsenseChangesNothing) {
  Duty duty;
  duty.observe(0.04, 1);
  duty.observe(1, 0);
  duty.observe(1, -1);
  EXPECT_DOUBLE_EQ(duty.full_share(), 0.04);
  duty.observe(-0.04, 1);
  EXPECT_DOUBLE_EQ(duty.full_share(), 0.02) << "a counter that went back is no cost";
}

}  // namespace
}  // namespace nz::analysis
