// Every histogram series has a place of its own, and the places fill the map.
#include "userspace/loader/layout.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace nz::loader {
namespace {

void every_series_once(const Layout& layout) {
  std::set<uint32_t> seen;
  const auto take = [&](uint32_t series) {
    EXPECT_LT(series, layout.series());
    EXPECT_TRUE(seen.insert(series).second) << series << " is given twice";
  };
  for (uint32_t slot = 0; slot < NZ_SLOTS; slot++) {
    for (uint32_t kind = 0; kind < NZ_SCHED_SERIES; kind++) take(layout.sched(slot, kind));
  }
  for (uint32_t i = 0; i < layout.max_stages; i++) take(layout.stage_base() + i);
  for (uint32_t i = 0; i < NZ_SLOTS * NZ_WAITS; i++) take(layout.sqlite_wait_base() + i);
  for (uint32_t i = 0; i < layout.max_statements * NZ_STMT_SERIES; i++)
    take(layout.statement_base() + i);
  for (uint32_t i = 0; i < layout.max_syscalls; i++) take(layout.syscall_base() + i);
  EXPECT_EQ(seen.size(), layout.series());
}

TEST(Layout, EverySeriesHasItsOwnPlace) {
  every_series_once({});
  Layout smallest;
  smallest.max_stages = smallest.max_statements = smallest.max_syscalls = 1;
  every_series_once(smallest);
  Layout largest;
  largest.max_stages = 256;
  largest.max_statements = 512;
  largest.max_syscalls = 1024;
  every_series_once(largest);
}

TEST(Layout, ShardsAreAPowerOfTwoAndBounded) {
  Layout layout;
  for (const auto& [cpus, shards] : std::vector<std::pair<uint32_t, uint32_t>>{
           {1, 1}, {2, 2}, {3, 4}, {6, 8}, {8, 8}, {256, NZ_MAX_SHARDS}}) {
    layout.cpus = cpus;
    EXPECT_EQ(layout.shards(), shards) << cpus;
  }
}

TEST(Layout, StructuresHaveTheSizesThatTheKernelSideAssumes) {
  EXPECT_EQ(sizeof(nz_hist), 2112U);
  EXPECT_EQ(sizeof(nz_task), 128U);
  EXPECT_EQ(sizeof(nz_hist) % 8, 0U);
  EXPECT_EQ(offsetof(nz_hist, bucket), 64U) << "buckets begin on their own cache line";
  EXPECT_EQ(sizeof(nz_event), 40U);
  EXPECT_EQ(NZ_SLOTS & (NZ_SLOTS - 1), 0);
  EXPECT_EQ(NZ_REASONS & (NZ_REASONS - 1), 0) << "the scheduler masks with NZ_REASONS - 1";
  EXPECT_LT(static_cast<int>(NZ_REASONS), static_cast<int>(NZ_BY_FUTEX_OP));
}

}  // namespace
}  // namespace nz::loader
