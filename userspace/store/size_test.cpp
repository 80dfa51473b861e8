// A small version of what `scripts/bench store` measures at full size.
#include <gtest/gtest.h>

#include <chrono>

#include "userspace/store/answers.h"
#include "userspace/store/load.h"
#include "userspace/store/test_store.h"

namespace nz::store {
namespace {

using testing::Folder;
using testing::kMidnight;
using testing::open_store;

TEST(StoreSize, AMonthOfAThousandSeriesFits) {
  const Folder folder;
  constexpr int kHistograms = 20, kScalars = 80;  // a tenth of a host
  constexpr int kMinutes = 24 * 60;               // a thirtieth of a month
  {
    auto store = open_store({.path = folder.file(), .keep_raw = 600});
    testing::Load load(kHistograms, kScalars);
    for (int m = 0; m <= kMinutes; m++) {
      testing::add(*store, kMidnight + 60.0 * m, load.next(60));
      if (m % 3 == 0) {
        ASSERT_TRUE(store->flush());
      }
    }
  }
  auto reader = Reader::open(folder.file());
  ASSERT_TRUE(reader);
  const auto levels = (*reader)->levels();
  ASSERT_TRUE(levels);
  const LevelInfo& minutes = (*levels)[index_of(Level::minute)];
  // Three blocks a day, of which the last is not made yet or just has been.
  ASSERT_GE(minutes.points, 2U * 480 * (kHistograms + kScalars) * 9 / 10);
  const double bytes_each =
      static_cast<double>(minutes.block_bytes) / static_cast<double>(minutes.points);
  // 600 MB for 30 days of 1,000 series are 13.9 bytes for each interval of each of them.
  EXPECT_LT(bytes_each, 13.9 / 1.3) << "of which a quarter is for what lies around it";
}

TEST(StoreSize, OneSeriesIsReadWithoutTheOthers) {
  const Folder folder;
  {
    auto store = open_store({.path = folder.file(), .keep_raw = 600});
    testing::Load load(40, 160);
    for (int m = 0; m <= 3 * 1440; m++) {
      testing::add(*store, kMidnight + 60.0 * m, load.next(60));
      if (m % 3 == 0) {
        ASSERT_TRUE(store->flush());
      }
    }
  }
  auto reader = Reader::open(folder.file());
  ASSERT_TRUE(reader);
  const auto began = std::chrono::steady_clock::now();
  const auto trend = trends(**reader, {"load_latency_seconds", {{"i", "0"}}, 0.99, false},
                            kMidnight, kMidnight + 3 * 86400, 3600);
  const double ms =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count();
  ASSERT_TRUE(trend);
  ASSERT_EQ(trend->size(), 1U);
  EXPECT_EQ(trend->front().points.size(), 72U);
  EXPECT_LT(ms, 2000) << "a tenth of a month takes some milliseconds";
}

}  // namespace
}  // namespace nz::store
