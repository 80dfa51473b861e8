#include "probes/profile/target_profile.h"

#include <gtest/gtest.h>

namespace nz::probes::profile {
namespace {

constexpr double kBegin = 5'000;

TEST(TargetProfile, TheLeafIsWhatRan) {
  TargetProfile p;
  EXPECT_TRUE(p.add(kBegin, {1, 2, 3}, 70));
  EXPECT_TRUE(p.add(kBegin, {1, 2}, 30));
  EXPECT_TRUE(p.add(kBegin, {}, 5));
  const auto hot = p.shares().hottest(3);
  ASSERT_EQ(hot.size(), 3U);
  EXPECT_EQ(hot[0].function, 3U);
  EXPECT_EQ(hot[1].function, 2U);
  EXPECT_EQ(p.others(), 105U);
}

TEST(TargetProfile, HotFunctionsGetASeriesThatNeverFalls) {
  TargetProfile p;
  p.add(kBegin, {1, 3}, 90);
  p.add(kBegin, {1, 4}, 3);
  p.advance(kBegin);
  EXPECT_TRUE(p.series().empty()) << "93 samples tell nothing";
  p.add(kBegin, {1, 5}, 17);
  p.advance(kBegin);
  EXPECT_EQ(p.series(), (std::map<uint32_t, uint64_t>{{3, 0}, {5, 0}}));
  p.add(kBegin + 1, {1, 3}, 8);
  p.add(kBegin + 1, {1, 4}, 1);
  EXPECT_EQ(p.series(), (std::map<uint32_t, uint64_t>{{3, 8}, {5, 0}}));
  EXPECT_EQ(p.others(), 111U);
  p.advance(kBegin + 5000);
  EXPECT_EQ(p.series().at(3), 8U);
}

TEST(TargetProfile, SeriesAreBounded) {
  TargetProfile p;
  for (uint32_t f = 1; f <= 200; f++) {
    p.add(kBegin + f * 100.0, {f}, 1000);
    p.advance(kBegin + f * 100.0);
  }
  EXPECT_EQ(p.series().size(), TargetProfile::kSeries);
}

}  // namespace
}  // namespace nz::probes::profile
