#include "analysis/regression/judge.h"

#include <gtest/gtest.h>

#include "analysis/regression/test_slices.h"

namespace nz::analysis {
namespace {

const Quantity kQuantity{"nearzero_order_stage_duration_seconds",
                         {{"target", "demo"}, {"stage", "risk"}},
                         "p50",
                         "seconds"};

std::vector<Slice> slow_from(double when, double ratio, double until = 1e300) {
  MadeSlices made(1);
  return made.make(80, 500,
                   [=](double at, double v) { return at >= when && at < until ? ratio * v : v; });
}

TEST(Judge, ARegressionWithQuantilesTimesAndEvents) {
  const std::vector<Event> events{{at_slice(20), "config_reload", "host", "reloaded"},
                                  {at_slice(40) - 3, "new_build", "demo", "build 12ab"},
                                  {at_slice(40) - 2, "process_start", "other", "not its own"},
                                  {at_slice(42) + 5, "process_start", "demo", "after it"},
                                  {at_slice(40) - 120, "agent_start", "host", "no cause of it"},
                                  {at_slice(40) - 7200, "boot", "host", "long ago"}};
  const auto v = judge(kQuantity, slow_from(at_slice(40), 1.5), at_slice(40), events);
  ASSERT_TRUE(v && v->regression);
  const Regression& r = *v->regression;
  EXPECT_EQ(v->shape, Shape::step);
  EXPECT_TRUE(r.worse);
  EXPECT_NEAR(r.after / r.before, 1.5, 0.1);
  EXPECT_NEAR(r.since, at_slice(40), 5);
  EXPECT_GT(r.confidence, 0.99);
  EXPECT_GE(r.moved.size(), 4U);
  EXPECT_EQ(r.moved.front().first, 0.5);
  ASSERT_EQ(r.events.size(), 3U);
  EXPECT_EQ(r.events[0].kind, "new_build");
  EXPECT_EQ(r.events[1].text, "after it");
  EXPECT_EQ(r.events[2].kind, "config_reload");
  EXPECT_EQ(r.state, FindingState::open);
  EXPECT_NE(r.id.find("stage=\"risk\"} p50@17000004"), std::string::npos) << r.id;
}

TEST(Judge, FasterIsNotWorse) {
  const auto v = judge(kQuantity, slow_from(at_slice(40), 0.5), at_slice(40), {});
  ASSERT_TRUE(v && v->regression);
  EXPECT_FALSE(v->regression->worse);
}

TEST(Judge, ASpikeIsNoRegression) {
  const auto v = judge(kQuantity, slow_from(at_slice(40), 3, at_slice(42)), at_slice(40), {});
  ASSERT_TRUE(v);
  EXPECT_EQ(v->shape, Shape::spike);
  EXPECT_FALSE(v->regression);
}

TEST(Judge, OneThatEndedIsResolved) {
  const auto v = judge(kQuantity, slow_from(at_slice(30), 2, at_slice(60)), at_slice(30), {});
  ASSERT_TRUE(v && v->regression);
  EXPECT_EQ(v->regression->state, FindingState::resolved);
  EXPECT_NEAR(v->regression->until, at_slice(60), 10);
  EXPECT_NEAR(v->regression->after / v->regression->before, 2, 0.15);
}

TEST(Judge, NoiseIsNone) {
  int told = 0;
  for (std::uint64_t seed = 1; seed <= 60; seed++) {
    MadeSlices made(seed, 0.15, 0.3);
    const auto v = judge(kQuantity, made.make(80, 300, MadeSlices::unchanged), at_slice(40), {});
    if (v && v->regression) told++;
  }
  EXPECT_LE(told, 3);
}

TEST(Judge, EventsAreBounded) {
  std::vector<Event> events;
  for (int i = 0; i < 100; i++) events.push_back({at_slice(40) - i, "process_start", "demo", ""});
  const auto v = judge(kQuantity, slow_from(at_slice(40), 1.5), at_slice(40), events);
  ASSERT_TRUE(v && v->regression);
  EXPECT_EQ(v->regression->events.size(), 8U);
}

}  // namespace
}  // namespace nz::analysis
