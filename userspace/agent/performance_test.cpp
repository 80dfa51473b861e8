#include "userspace/agent/performance.h"

#include <gtest/gtest.h>

#include "userspace/history/test_families.h"

namespace nz::agent {
namespace {

TEST(Performance, SnapshotsAreNumberedDatedAndRemembered) {
  auto box = std::make_shared<SnapshotBox>();
  Performance performance(box);
  EXPECT_EQ(performance.view(), nullptr);
  double before = 0;
  for (std::uint64_t n = 1; n <= 3; n++) {
    auto snapshot = std::make_shared<Snapshot>();
    snapshot->families = {
        history::testing::counter("nearzero_c_total", 10.0 * static_cast<double>(n))};
    performance.record(*snapshot);
    EXPECT_EQ(snapshot->generation, n);
    EXPECT_GE(snapshot->at, before);
    EXPECT_EQ(performance.history().newest(), snapshot->at) << "found by whoever sees the snapshot";
    before = snapshot->at;
    box->put(snapshot);
    EXPECT_EQ(performance.view()->generation, n);
  }
  EXPECT_EQ(performance.history().window(0, 1e12).change("nearzero_c_total"), 20);
  EXPECT_EQ(performance.view()->families.back().name, "nearzero_history_evicted_points_total");
}

}  // namespace
}  // namespace nz::agent
