// A duty cycle sees a fiftieth of the orders: one of them stalled. Whether that happens often is
// what the scheduler knows, which sees all.
#include <gtest/gtest.h>

#include "analysis/bottlenecks/scene.h"

namespace nz::analysis::test {
namespace {

const Labels kLockTime{{"target", "demo"}, {"reason", "lock"}};

// 10,000 orders in 20 s, of which 200 were seen; one of these waited 20 ms for a lock. All threads
// together waited `stalls` times so long.
Window with_stalls(double stalls) {
  Scene s;
  s.seconds = 20;
  s.rate = 500;
  s.stages_observed = 0.02;
  s.us["risk"]["lock"] = 100;
  s.more.push_back({"nearzero_order_stage_duration_seconds",
                    {{"target", "demo"}, {"stage", "order"}},
                    0,
                    0,
                    0,
                    0,
                    Scene::values(1, 0.02)});
  Window window = s.window();
  for (WindowSeries& series : window.series) {
    if (series.name == "nearzero_offcpu_seconds" && has_labels(series.labels, kLockTime))
      series.histogram = Scene::values(stalls, 0.02);
  }
  return window;
}

std::vector<Finding> found_with(double stalls) {
  Scene healthy;
  healthy.rate = 500;
  healthy.stages_observed = 0.02;
  return find_bottlenecks(with_stalls(stalls), healthy.window(), {}, {});
}

TEST(OfTheOrdersThatWereSeen, AStallThatHappensOftenIsToldAtTheFirst) {
  const auto found = found_with(50);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].kind, "lock_contention");
}

TEST(OfTheOrdersThatWereSeen, AStallThatHappenedOnceIsNone) {
  EXPECT_TRUE(found_with(1).empty()) << told(found_with(1));
}

}  // namespace
}  // namespace nz::analysis::test
