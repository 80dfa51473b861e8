#include "userspace/agent/performance.h"

#include <gtest/gtest.h>

#include "userspace/history/test_families.h"
#include "userspace/store/test_store.h"

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

TEST(Performance, AFamilyThatMemoryDoesNotKnowMayBeOnDisk) {
  const store::testing::Folder folder;
  const auto store = store::testing::open_store({.path = folder.file()});
  store::testing::Service service;
  store::testing::run_service(*store, service, 0, 60);
  Performance performance(std::make_shared<SnapshotBox>());
  EXPECT_FALSE(performance.family("h_seconds"));
  performance.set_store(store.get());
  const auto family = performance.family("h_seconds");
  ASSERT_TRUE(family);
  EXPECT_EQ(family->type, metrics::Type::histogram);
  EXPECT_FALSE(performance.family("nowhere"));
}

}  // namespace
}  // namespace nz::agent
