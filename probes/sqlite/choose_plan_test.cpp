#include "probes/sqlite/choose_plan.h"

#include <gtest/gtest.h>

namespace nz::probes {
namespace {

constexpr auto kStep = SqlitePlan::step;
constexpr auto kBoundary = SqlitePlan::boundary;
constexpr auto kNone = SqlitePlan::none;

SqlitePlan automatic(SqlitePlan now, uint64_t steps, uint64_t statements, double seconds) {
  return choose_plan(now, "auto", true, true, {steps, statements, seconds});
}

TEST(ChoosePlan, BeginsExact) { EXPECT_EQ(choose_plan(kNone, "auto", true, true, {}), kStep); }

TEST(ChoosePlan, DoesWhatIsWantedAsFarAsTheBinaryAllows) {
  EXPECT_EQ(choose_plan(kNone, "step", true, true, {}), kStep);
  EXPECT_EQ(choose_plan(kNone, "boundary", true, true, {}), kBoundary);
  EXPECT_EQ(choose_plan(kNone, "boundary", true, false, {}), kStep);
  EXPECT_EQ(choose_plan(kNone, "step", false, true, {}), kBoundary);
  EXPECT_EQ(choose_plan(kNone, "auto", false, true, {}), kBoundary);
  EXPECT_EQ(choose_plan(kNone, "auto", true, false, {}), kStep);
  EXPECT_EQ(choose_plan(kNone, "auto", false, false, {}), kNone);
  // Whatever is observed.
  EXPECT_EQ(choose_plan(kStep, "step", true, true, {1'000'000, 1, 1}), kStep);
  EXPECT_EQ(choose_plan(kBoundary, "boundary", true, true, {1000, 1000, 1}), kBoundary);
}

TEST(ChoosePlan, ManyRowsAreDear) {
  EXPECT_EQ(automatic(kStep, 1'001'000, 1000, 1), kBoundary);
  EXPECT_EQ(automatic(kStep, 18'000, 2000, 1), kBoundary);
  EXPECT_EQ(automatic(kStep, 16'000, 2000, 1), kStep) << "not above 8 steps a statement";
  EXPECT_EQ(automatic(kStep, 500'000, 500'000, 1), kStep) << "lookups, however many";
  EXPECT_EQ(automatic(kStep, 5000, 0, 1), kBoundary) << "one statement that goes on and on";
}

TEST(ChoosePlan, FewStepsASecondAreNotWorthAChange) {
  EXPECT_EQ(automatic(kStep, 1900, 2, 1), kStep);
  EXPECT_EQ(automatic(kStep, 2100, 2, 1), kBoundary);
  EXPECT_EQ(automatic(kStep, 2100, 2, 2), kStep) << "the interval counts, not the number";
}

TEST(ChoosePlan, ReturnsForLookups) {
  EXPECT_EQ(automatic(kBoundary, 200, 200, 0.004), kStep);
  EXPECT_EQ(automatic(kBoundary, 200, 100, 0.004), kStep);
  EXPECT_EQ(automatic(kBoundary, 200, 50, 0.004), kBoundary)
      << "4 steps a statement: between the thresholds";
  EXPECT_EQ(automatic(kBoundary, 2000, 2, 0.004), kBoundary);
}

TEST(ChoosePlan, ReturnsWhenLittleHappens) {
  EXPECT_EQ(automatic(kBoundary, 0, 0, 0.032), kStep);
  EXPECT_EQ(automatic(kBoundary, 20, 1, 0.032), kStep);
  EXPECT_EQ(automatic(kBoundary, 0, 0, 0.016), kBoundary) << "not looked long enough";
}

TEST(ChoosePlan, DoesNotFlap) {
  for (const uint64_t steps : {100U, 1000U, 1500U, 3000U, 10'000U, 1'000'000U}) {
    for (const uint64_t statements : {1U, 10U, 100U, 1000U, 100'000U}) {
      // The same load, seen for a second and in windows of 32 ms.
      const SqlitePlan first = automatic(kStep, steps, statements, 1);
      if (first == kStep) continue;
      EXPECT_EQ(automatic(first, steps * 32 / 1000, statements * 32 / 1000, 0.032), first)
          << steps << " steps, " << statements;
    }
  }
}

TEST(ChoosePlan, CollectsWindowsUntilTheySuffice) {
  EXPECT_FALSE(is_enough(kBoundary, {10, 10, 0.008}));
  EXPECT_TRUE(is_enough(kBoundary, {50, 10, 0.008}));
  EXPECT_TRUE(is_enough(kBoundary, {0, 0, 0.030}));
  EXPECT_TRUE(is_enough(kStep, {}));
}

}  // namespace
}  // namespace nz::probes
