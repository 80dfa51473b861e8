#include "userspace/baselines/baselines.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "userspace/baselines/test_days.h"
#include "userspace/history/test_families.h"
#include "userspace/store/test_store.h"

namespace nz::baselines {
namespace {

using store::testing::Folder;
using store::testing::open_store;
using testing::kMonday;
using testing::kOrders;

double metric(const Baselines& baselines, const std::string& name) {
  std::vector<metrics::Family> families;
  baselines.collect(families);
  for (const metrics::Family& family : families) {
    if (family.name == name) return family.samples.at(0).value;
  }
  return -1;
}

// Its thread reads the store in its own time.
TEST(Baselines, LearnFromHistoryBesideTheDrain) {
  const Folder folder;
  auto store = open_store({.path = folder.file()});
  const history::History::Options an_hour{.resolution = 10, .length = 3600};
  history::History history(an_hour);
  Baselines baselines(*store);
  analysis::Histogram all;
  double now = kMonday;
  for (int i = 0; i < 3000 && metric(baselines, "nearzero_baseline_series") < 1; i++) {
    for (int drain = 0; drain < 6; drain++) {
      now += 10;
      for (int k = 0; k < 200; k++) all.record(1'000'000);
      history.add(now, {history::testing::histogram(kOrders, all,
                                                    {{"target", "demo"}, {"stage", "risk"}})});
      baselines.step(now, history, {}, {}, {});
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_GE(metric(baselines, "nearzero_baseline_series"), 2) << "p50 and p99";
  EXPECT_EQ(metric(baselines, "nearzero_baseline_series_left_out"), 0);
  EXPECT_EQ(metric(baselines, "nearzero_baseline_errors_total"), 0);
  EXPECT_EQ(metric(baselines, "nearzero_baseline_dropped_total"), 0);
  EXPECT_NE(baselines.against_usual(), nullptr);
  const analysis::Quantity of{kOrders, {{"target", "demo"}, {"stage", "risk"}}, "p99", "seconds"};
  EXPECT_FALSE(baselines.value(of, "hour_of_week", now)) << "too little past";
  EXPECT_FALSE(baselines.value(of, "release-1.4", now));
}

}  // namespace
}  // namespace nz::baselines
