#include "probes/stages/ids.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nz::probes {
namespace {

using ::testing::HasSubstr;

config::Stage function(const std::string& name) {
  config::Stage stage;
  stage.name = name;
  stage.function = "f";
  return stage;
}

config::Stage span(const std::string& name) {
  config::Stage stage;
  stage.name = name;
  stage.from = "f";
  stage.to = "g";
  return stage;
}

TEST(StageIds, AStageKeepsItsNumber) {
  StageIds ids(8);
  const auto a = ids.stage("gateway", span("decode"));
  const auto b = ids.stage("gateway", span("match"));
  ASSERT_TRUE(a && b);
  EXPECT_NE(a->stage, b->stage);
  EXPECT_NE(a->open, b->open);
  const auto again = ids.stage("gateway", span("decode"));
  EXPECT_EQ(again->stage, a->stage);
  EXPECT_EQ(again->open, a->open);
}

TEST(StageIds, TargetsWithStagesOfOneNameAreApart) {
  StageIds ids(8);
  EXPECT_NE(ids.stage("a", span("decode"))->stage, ids.stage("b", span("decode"))->stage);
  EXPECT_EQ(ids.stages().size(), 2U);
}

TEST(StageIds, RoomForStagesIsLimitedAndTheErrorSaysWhatToRaise) {
  StageIds ids(2);
  ASSERT_TRUE(ids.stage("t", span("one")));
  ASSERT_TRUE(ids.stage("t", function("two")));
  const auto third = ids.stage("t", function("three"));
  ASSERT_FALSE(third);
  EXPECT_THAT(third.error().text(), HasSubstr("no room for stage 'three': 2"));
  EXPECT_THAT(third.error().remedy, HasSubstr("limits.stages"));
  EXPECT_TRUE(ids.stage("t", span("one"))) << "known ones still have theirs";
}

TEST(StageIds, FunctionStagesTakeNoPlaceAmongTheOpenOnes) {
  StageIds ids(64);
  for (int i = 0; i < 20; i++) ASSERT_TRUE(ids.stage("t", function("f" + std::to_string(i))));
  std::set<uint8_t> places;
  for (int i = 0; i < NZ_OPEN_STAGES; i++) {
    const auto id = ids.stage("t", span("s" + std::to_string(i)));
    ASSERT_TRUE(id) << i;
    EXPECT_LT(id->open, NZ_OPEN_STAGES);
    places.insert(id->open);
  }
  EXPECT_EQ(places.size(), static_cast<size_t>(NZ_OPEN_STAGES)) << "each its own";
  const auto one_more = ids.stage("t", span("s16"));
  ASSERT_FALSE(one_more);
  EXPECT_THAT(one_more.error().text(), HasSubstr("more than 16 stages with from: and to:"));
  EXPECT_TRUE(ids.stage("other", span("s16"))) << "each target has its own sixteen";
}

TEST(StageIds, AFunctionStageThatBecomesASpanGetsAPlace) {
  StageIds ids(64);
  for (int i = 0; i < 3; i++) (void)ids.stage("t", span("s" + std::to_string(i)));
  const auto before = ids.stage("t", function("x"));
  const auto after = ids.stage("t", span("x"));
  ASSERT_TRUE(before && after);
  EXPECT_EQ(before->stage, after->stage) << "it goes on counting";
  EXPECT_EQ(after->open, 3);
}

TEST(StageIds, ReloadsGiveUnusedPlacesBack) {
  StageIds ids(64);
  std::vector<config::Stage> old;
  for (int i = 0; i < NZ_OPEN_STAGES; i++) {
    old.push_back(span("old" + std::to_string(i)));
    ASSERT_TRUE(ids.stage("t", old.back()));
  }
  const uint8_t kept = ids.stage("t", old[5])->open;
  const std::vector<config::Stage> now{old[5], span("new")};
  ids.configure("t", now);
  EXPECT_EQ(ids.stage("t", now[0])->open, kept)
      << "in use: an order under way must not change places";
  const auto fresh = ids.stage("t", now[1]);
  ASSERT_TRUE(fresh);
  EXPECT_NE(fresh->open, kept);
}

TEST(StageIds, SitesAreNumberedByAddressAndGivenBack) {
  StageIds ids(8);
  const SiteKey key{1, 7, 1000, 0x40, false};
  const auto number = ids.site(key, true, false);
  ASSERT_TRUE(number);
  EXPECT_EQ(*ids.site(key, false, true), *number);
  EXPECT_FALSE(ids.sites().at(*number).returns) << "what the last caller said";
  EXPECT_TRUE(ids.sites().at(*number).stepped);
  SiteKey back = key;
  back.is_return = true;
  EXPECT_NE(*ids.site(back, true, false), *number);
  SiteKey rebuilt = key;
  rebuilt.inode = 1001;
  EXPECT_NE(*ids.site(rebuilt, true, false), *number);

  ids.release_site(*number);
  EXPECT_FALSE(ids.sites().contains(*number));
  const SiteKey other{2, 7, 1002, 0x80, false};
  EXPECT_EQ(*ids.site(other, false, false), *number) << "the smallest free number";
  EXPECT_EQ(ids.sites().at(*number).slot, 2U);
}

// A service that is deployed anew has a new inode each time: hundreds of restarts in an agent's
// life.
TEST(StageIds, RestartsDoNotUseSitesUp) {
  StageIds ids(8);
  for (ino_t inode = 0; inode < 100; inode++) {
    std::vector<uint32_t> numbers;
    for (uint64_t offset = 0; offset < 30; offset++) {
      const auto number = ids.site({1, 1, inode, offset, false}, false, false);
      ASSERT_TRUE(number) << inode;
      numbers.push_back(*number);
    }
    for (const uint32_t n : numbers) ids.release_site(n);
  }
  for (uint64_t offset = 0; offset < NZ_MAX_SITES; offset++) {
    ASSERT_TRUE(ids.site({1, 1, 1, offset, false}, false, false));
  }
  const auto full = ids.site({1, 1, 1, NZ_MAX_SITES, false}, false, false);
  ASSERT_FALSE(full);
  EXPECT_THAT(full.error().text(), HasSubstr("more than 512 addresses"));
}

}  // namespace
}  // namespace nz::probes
