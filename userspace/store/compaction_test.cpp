#include "userspace/store/compaction.h"

#include <gtest/gtest.h>

#include "userspace/store/test_store.h"

namespace nz::store {
namespace {

using testing::Folder;
using testing::kMidnight;

TEST(Compaction, MinutesGoToTheirBlockAQuarterOfItsPeriodAtATime) {
  const Folder folder;
  auto store = testing::open_store({.path = folder.file()});
  testing::Service service;
  testing::run_service(*store, service, 0, 5 * 3600 + 60, 30);
  auto reader = Reader::open(folder.file());
  ASSERT_TRUE(reader);
  const auto levels = (*reader)->levels();
  ASSERT_TRUE(levels);
  const LevelInfo& minutes = (*levels)[index_of(Level::minute)];
  EXPECT_LE(minutes.intervals, 62U) << "the last hour of five";
  const auto series = (*reader)->series("");
  ASSERT_TRUE(series);
  EXPECT_EQ(minutes.blocks, series->size()) << "one of eight hours each";
  EXPECT_EQ(minutes.points, minutes.blocks * 240) << "that hold four of them";
  // Each minute once, in order, and nothing of it changed on its way.
  const auto all = testing::points(folder.file(), "c_total", Level::minute);
  ASSERT_GE(all.size(), 300U);
  for (std::size_t i = 0; i < all.size(); i++) {
    const auto from = static_cast<std::int64_t>(kMidnight) * 1000 + static_cast<int>(i) * 60'000;
    ASSERT_EQ(all[i].first.from, from);
    ASSERT_EQ(all[i].second.growth, 300);
  }
}

}  // namespace
}  // namespace nz::store
