#include "userspace/store/compaction.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>

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

// Of all minutes, with what the last run has not lived to roll up.
double growth_of_minutes(const std::string& path) {
  {
    auto store = testing::open_store({.path = path, .keep_raw = 1e9});
    EXPECT_TRUE(store->flush());
  }
  double growth = 0;
  for (const auto& [interval, cell] : testing::points(path, "c_total", Level::minute))
    growth += cell.growth;
  return growth;
}

TEST(Compaction, NoMinuteIsLostOrTwiceOverRestartsWithinItsPeriod) {
  const Folder folder;
  for (int run = 0; run < 5; run++) {
    auto store = testing::open_store({.path = folder.file(), .keep_raw = 1e9});
    testing::Service service;  // begins at 0 again, as an agent does
    testing::run_service(*store, service, 0, 6900, 30, kMidnight + run * 7000);
  }
  EXPECT_EQ(growth_of_minutes(folder.file()), 5 * 6900 * 5);
  std::int64_t last = 0;
  for (const auto& [interval, cell] : testing::points(folder.file(), "c_total", Level::minute)) {
    ASSERT_GE(interval.from, last) << "nothing overlaps";
    last = interval.to;
  }
  const auto store = testing::open_store({.path = folder.file(), .keep_raw = 1e9});
  EXPECT_EQ(store->window(0, 1e11).change("c_total"), 5 * 6900 * 5);
}

TEST(Compaction, NoMinuteIsLostWhereAClockIsSetBackOverQuarters) {
  const Folder folder;
  {
    auto store = testing::open_store({.path = folder.file(), .keep_raw = 1e9});
    for (int s = 0; s <= 11 * 3600; s += 60) {
      const double set = s > 5 * 3600 ? -3.5 * 3600 : 0;
      store->add(kMidnight + s + set,
                 std::make_shared<const testing::FamilyList>(
                     testing::FamilyList{testing::counter("c_total", s)}),
                 s);
      ASSERT_TRUE(store->flush());
    }
  }
  EXPECT_EQ(growth_of_minutes(folder.file()), 11 * 3600);
}

}  // namespace
}  // namespace nz::store
