#include "analysis/detect/incident.h"

#include <gtest/gtest.h>

namespace nz::analysis {
namespace {

Anomaly odd(const std::string& name, double at, double value = 2, double score = 0.995) {
  Anomaly a;
  a.of.name = name;
  a.at = at;
  a.value = value;
  a.expected = 1;
  a.score = score;
  return a;
}

const std::string kDisk = "nearzero_disk_busy_seconds_total";
const std::string kWait = "nearzero_sqlite_wait_seconds";
const std::string kStage = "nearzero_order_stage_duration_seconds";

TEST(Incident, NamesTheResourceBeforeWhatNeedsIt) {
  std::vector<Anomaly> members = {odd(kStage, 100), odd(kWait, 105), odd(kDisk, 110)};
  order_by_cause(members);
  EXPECT_EQ(members[0].of.name, kDisk);
  EXPECT_EQ(members[1].of.name, kWait);
  EXPECT_EQ(members[2].of.name, kStage);
  EXPECT_NE(why_before(members[0], members[2]).find("resource"), std::string::npos);
}

TEST(Incident, AResourceThatFollowsIsNoCause) {
  std::vector<Anomaly> members = {odd(kStage, 100), odd(kDisk, 200)};
  order_by_cause(members);
  EXPECT_EQ(members[0].of.name, kStage);
}

TEST(Incident, EarlierThenLargerFirstWithinALayer) {
  std::vector<Anomaly> members = {odd("nearzero_order_b", 101, 9), odd("nearzero_order_c", 100, 2),
                                  odd("nearzero_order_a", 100, 5)};
  order_by_cause(members);
  EXPECT_EQ(members[0].of.name, "nearzero_order_a");
  EXPECT_EQ(members[1].of.name, "nearzero_order_c");
  EXPECT_EQ(members[2].of.name, "nearzero_order_b");
}

TEST(Incident, OneOddValueIsNone) {
  IncidentGrouper grouper;
  EXPECT_TRUE(grouper.observe(100, {odd(kStage, 100)}).opened.empty());
  EXPECT_TRUE(grouper.observe(400, {}).resolved.empty());
  EXPECT_TRUE(grouper.incidents().empty());
}

TEST(Incident, OpensOnceGrowsAndResolvesWhenQuiet) {
  IncidentGrouper grouper;
  grouper.observe(100, {odd(kStage, 100)});
  const auto opened = grouper.observe(110, {odd(kStage, 110), odd(kDisk, 110)}).opened;
  ASSERT_EQ(opened.size(), 1U);
  EXPECT_EQ(opened[0].since, 100);
  EXPECT_EQ(opened[0].members[0].of.name, kDisk);
  EXPECT_TRUE(grouper.observe(120, {odd(kStage, 120, 7, 0.999)}).opened.empty());
  ASSERT_EQ(grouper.incidents().size(), 1U);
  EXPECT_EQ(grouper.incidents()[0].members[1].value, 7);
  EXPECT_EQ(grouper.incidents()[0].members[1].at, 100);
  EXPECT_TRUE(grouper.observe(250, {}).resolved.empty());
  const auto resolved = grouper.observe(300, {}).resolved;
  ASSERT_EQ(resolved.size(), 1U);
  EXPECT_EQ(resolved[0].until, 120);
}

TEST(Incident, ThatComesBackSoonIsTheSame) {
  IncidentGrouper grouper;
  const auto first = grouper.observe(100, {odd(kStage, 100), odd(kDisk, 100)}).opened;
  ASSERT_EQ(grouper.observe(280, {}).resolved.size(), 1U);
  const auto again = grouper.observe(350, {odd(kStage, 350)}).opened;
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].id, first[0].id);
  EXPECT_EQ(again[0].until, 0);
}

TEST(Incident, LaterTroubleOfOtherSeriesIsAnother) {
  IncidentGrouper grouper;
  grouper.observe(100, {odd(kStage, 100), odd(kDisk, 100)});
  for (double at = 110; at < 400; at += 10) grouper.observe(at, {odd(kStage, at)});
  const auto opened =
      grouper.observe(400, {odd(kStage, 400), odd(kWait, 400), odd("x", 400)}).opened;
  ASSERT_EQ(opened.size(), 1U);
  EXPECT_EQ(opened[0].members.size(), 2U);
}

IncidentGrouper with_open() {
  IncidentGrouper grouper;
  grouper.observe(100, {odd(kStage, 100)});
  grouper.observe(110, {odd(kStage, 110), odd(kDisk, 110)});
  return grouper;
}

TEST(Incident, GoesOnAfterAShortRestart) {
  const IncidentGrouper before = with_open();
  IncidentGrouper grouper;
  EXPECT_TRUE(grouper.restore(before.open(), 150).resolved.empty());
  ASSERT_EQ(grouper.incidents().size(), 1U);
  EXPECT_EQ(grouper.incidents()[0].id, before.incidents()[0].id);
  EXPECT_EQ(grouper.incidents()[0].since, 100);
  EXPECT_EQ(grouper.incidents()[0].members[0].of.name, kDisk);
  EXPECT_TRUE(grouper.observe(200, {odd(kStage, 200)}).opened.empty()) << "it was told";
  EXPECT_TRUE(grouper.observe(220, {odd(kWait, 220)}).opened.empty()) << "it joins";
  ASSERT_EQ(grouper.incidents().size(), 1U);
  EXPECT_EQ(grouper.incidents()[0].members.size(), 3U);
  EXPECT_TRUE(grouper.observe(399, {}).resolved.empty());
  const auto resolved = grouper.observe(400, {}).resolved;
  ASSERT_EQ(resolved.size(), 1U);
  EXPECT_EQ(resolved[0].since, 100);
  EXPECT_EQ(resolved[0].until, 220);
}

TEST(Incident, HasEndedInALongRestartAndIsBackSoonEnough) {
  const IncidentGrouper before = with_open();
  IncidentGrouper grouper;
  const auto changes = grouper.restore(before.open(), 290);
  ASSERT_EQ(changes.resolved.size(), 1U);
  EXPECT_EQ(changes.resolved[0].until, 110) << "when it was seen last";
  EXPECT_TRUE(grouper.open().empty());
  const auto again = grouper.observe(400, {odd(kStage, 400)}).opened;
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].id, changes.resolved[0].id);
  EXPECT_EQ(again[0].since, 100);
}

TEST(Incident, OnlyWhatHasOpenedOutlivesARestart) {
  IncidentGrouper grouper;
  grouper.observe(100, {odd(kStage, 100)});
  EXPECT_TRUE(grouper.open().empty());
}

TEST(Incident, AClockThatWentBackOverARestartEndsNothing) {
  const IncidentGrouper before = with_open();
  IncidentGrouper grouper;
  EXPECT_TRUE(grouper.restore(before.open(), 50).resolved.empty());
  ASSERT_EQ(grouper.incidents().size(), 1U);
  EXPECT_EQ(grouper.incidents()[0].since, 50) << "not in the future";
  const auto resolved = grouper.observe(230, {}).resolved;
  ASSERT_EQ(resolved.size(), 1U);
  EXPECT_EQ(resolved[0].until, 50);
}

TEST(Incident, IsBounded) {
  IncidentOptions options;
  options.most = 2;
  options.most_members = 3;
  IncidentGrouper grouper(options);
  std::vector<Anomaly> many;
  for (int i = 0; i < 10; i++) many.push_back(odd("s" + std::to_string(i), 100));
  grouper.observe(100, many);
  EXPECT_EQ(grouper.incidents()[0].members.size(), 3U);
  EXPECT_EQ(grouper.dropped(), 7U);
}

}  // namespace
}  // namespace nz::analysis
