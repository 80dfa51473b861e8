#include "analysis/regression/locate.h"

#include <gtest/gtest.h>

#include "analysis/regression/test_slices.h"

namespace nz::analysis {
namespace {

auto step_at(double when, double ratio, double until = 1e300) {
  return [=](double at, double v) { return at >= when && at < until ? ratio * v : v; };
}

TEST(Locate, AStepToAFractionOfASlice) {
  MadeSlices made(1);
  const double when = at_slice(30) + 4;
  const auto slices = made.make(60, 500, step_at(when, 2));
  const auto l = locate_change(slices, at_slice(31));
  ASSERT_TRUE(l);
  EXPECT_NEAR(l->at, when, 2);
  EXPECT_LE(l->earliest, when);
  EXPECT_GE(l->latest, when);
  EXPECT_LE(l->latest - l->earliest, 30);
  EXPECT_EQ(l->shape, Shape::step);
  EXPECT_EQ(l->until, 0);
  EXPECT_EQ(l->end, slices.size());
}

TEST(Locate, ARoughTimeThatIsOff) {
  MadeSlices made(2);
  const auto slices = made.make(60, 500, step_at(at_slice(30), 1.3));
  for (const double off : {-3.0, 3.0}) {
    const auto l = locate_change(slices, at_slice(30 + off));
    ASSERT_TRUE(l) << off;
    EXPECT_NEAR(l->at, at_slice(30), 10) << off;
  }
}

TEST(Locate, TheIntervalHoldsTheMomentOfASmallStep) {
  int found = 0, held = 0;
  for (std::uint64_t seed = 1; seed <= 60; seed++) {
    MadeSlices made(seed, 0.1, 0.3);
    const double when = at_slice(40) + 5;
    const auto slices = made.make(80, 300, step_at(when, 1.2));
    const auto l = locate_change(slices, at_slice(41));
    if (!l) continue;
    found++;
    if (l->earliest <= when && when <= l->latest) held++;
  }
  EXPECT_GE(found, 50);
  EXPECT_GE(held, found * 8 / 10);
}

TEST(Locate, ASpikeIsToldFromAStep) {
  MadeSlices made(3);
  const auto slices = made.make(60, 500, step_at(at_slice(30), 3, at_slice(33)));
  const auto l = locate_change(slices, at_slice(30));
  ASSERT_TRUE(l);
  EXPECT_EQ(l->shape, Shape::spike);
  EXPECT_NEAR(l->at, at_slice(30), 10);
  EXPECT_NEAR(l->until, at_slice(33), 10);
}

TEST(Locate, ALongEpisodeIsAStepThatEnded) {
  MadeSlices made(4);
  const auto slices = made.make(90, 500, step_at(at_slice(30), 2, at_slice(60)));
  const auto l = locate_change(slices, at_slice(30));
  ASSERT_TRUE(l);
  EXPECT_EQ(l->shape, Shape::step);
  EXPECT_NEAR(l->at, at_slice(30), 10);
  EXPECT_NEAR(l->until, at_slice(60), 10);
}

TEST(Locate, WhatJustBeganIsUndecided) {
  MadeSlices made(5);
  const auto slices = made.make(32, 500, step_at(at_slice(30), 3));
  const auto l = locate_change(slices, at_slice(30));
  ASSERT_TRUE(l);
  EXPECT_EQ(l->shape, Shape::undecided);
}

TEST(Locate, EmptySlicesAreLeftOut) {
  MadeSlices made(6);
  auto slices = made.make(60, 500, step_at(at_slice(30), 2));
  for (const std::size_t i : {5U, 29U, 31U, 40U}) slices[i].histogram = nullptr;
  slices[41].histogram = std::make_shared<Histogram>();
  const auto l = locate_change(slices, at_slice(30));
  ASSERT_TRUE(l);
  EXPECT_EQ(l->index, 30U);
}

TEST(Locate, NothingInNothing) {
  EXPECT_FALSE(locate_change({}, 0));
  MadeSlices made(7);
  const auto slices = made.make(3, 100, MadeSlices::unchanged);
  EXPECT_FALSE(locate_change(slices, at_slice(2)));
  std::vector<Slice> constant;
  for (int i = 0; i < 20; i++) {
    auto h = std::make_shared<Histogram>();
    h->record(1000);
    constant.push_back({at_slice(i), at_slice(i + 1), h});
  }
  EXPECT_FALSE(locate_change(constant, at_slice(10)));
}

}  // namespace
}  // namespace nz::analysis
