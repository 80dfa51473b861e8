#include "analysis/finding_ledger.h"

#include <gtest/gtest.h>

namespace nz::analysis {
namespace {

Finding finding(const std::string& id, double impact = 0.2) {
  Finding f;
  f.id = id;
  f.kind = "lock_contention";
  f.impact = impact;
  f.severity = Severity::warning;
  return f;
}

FindingLedger::Options options() {
  FindingLedger::Options o;
  o.open_windows = 2;
  o.open_seconds = 1000;
  o.resolve_windows = 3;
  o.rejoin_seconds = 60;
  o.keep_seconds = 600;
  o.most = 4;
  return o;
}

const std::vector<Finding> kNone;

// Opens at 5 and is ongoing at 10.
FindingLedger with_open(const std::string& id = "a", double impact = 0.2) {
  FindingLedger ledger(options());
  ledger.observe({finding(id, impact)}, 0);
  ledger.observe({finding(id, impact)}, 5);
  return ledger;
}

TEST(FindingLedger, OneWindowIsNotTold) {
  FindingLedger ledger(options());
  EXPECT_TRUE(ledger.observe({finding("a")}, 0).opened.empty());
  EXPECT_TRUE(ledger.findings().empty());
}

TEST(FindingLedger, OpensAtTheSecondWindowWithTheTimeOfTheFirst) {
  FindingLedger ledger(options());
  ledger.observe({finding("a")}, 100);
  const auto changes = ledger.observe({finding("a")}, 105);
  ASSERT_EQ(changes.opened.size(), 1U);
  EXPECT_EQ(changes.opened[0].since, 100);
  ASSERT_EQ(ledger.findings().size(), 1U);
  EXPECT_EQ(ledger.findings()[0].state, FindingState::open);
  EXPECT_EQ(ledger.findings()[0].until, 0);
}

TEST(FindingLedger, OpensAfterSecondsWhereWindowsAreRare) {
  FindingLedger::Options o = options();
  o.open_windows = 10;
  o.open_seconds = 20;
  FindingLedger ledger(o);
  ledger.observe({finding("a")}, 0);
  EXPECT_TRUE(ledger.observe({finding("a")}, 19).opened.empty());
  EXPECT_EQ(ledger.observe({finding("a")}, 20).opened.size(), 1U);
}

TEST(FindingLedger, GoesOnAfterItOpened) {
  FindingLedger ledger = with_open();
  EXPECT_TRUE(ledger.observe({finding("a", 0.6)}, 10).opened.empty());
  const auto all = ledger.findings();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].state, FindingState::ongoing);
  EXPECT_EQ(all[0].since, 0);
  EXPECT_EQ(all[0].impact, 0.6) << "the newest evidence";
}

TEST(FindingLedger, EveryOtherWindowNeverOpens) {
  FindingLedger ledger(options());
  for (int i = 0; i < 50; i++) {
    EXPECT_TRUE(
        ledger.observe(i % 2 == 0 ? std::vector{finding("a")} : kNone, 5.0 * i).opened.empty());
  }
  EXPECT_TRUE(ledger.findings().empty());
}

TEST(FindingLedger, OnceOpenFlickeringNeitherClosesNorOpensAnew) {
  FindingLedger ledger = with_open();
  for (int i = 2; i < 60; i++) {
    // Two of three windows without it.
    const auto changes = ledger.observe(i % 3 == 0 ? std::vector{finding("a")} : kNone, 5.0 * i);
    EXPECT_TRUE(changes.opened.empty()) << i;
    EXPECT_TRUE(changes.resolved.empty()) << i;
  }
  ASSERT_EQ(ledger.findings().size(), 1U);
  EXPECT_EQ(ledger.findings()[0].since, 0);
}

TEST(FindingLedger, EndsAtTheThirdWindowWithoutItWithTheTimeOfTheFirst) {
  FindingLedger ledger = with_open();
  EXPECT_TRUE(ledger.observe(kNone, 10).resolved.empty());
  EXPECT_TRUE(ledger.observe(kNone, 15).resolved.empty());
  const auto changes = ledger.observe(kNone, 20);
  ASSERT_EQ(changes.resolved.size(), 1U);
  EXPECT_EQ(changes.resolved[0].state, FindingState::resolved);
  EXPECT_EQ(changes.resolved[0].since, 0);
  EXPECT_EQ(changes.resolved[0].until, 10);
  ASSERT_EQ(ledger.findings().size(), 1U);
  EXPECT_EQ(ledger.findings()[0].state, FindingState::resolved);
}

TEST(FindingLedger, AResolvedOneShowsItsWorstWindow) {
  FindingLedger ledger = with_open();
  ledger.observe({finding("a", 0.9)}, 10);
  ledger.observe({finding("a", 0.1)}, 15);
  for (int i = 4; i < 7; i++) ledger.observe(kNone, 5.0 * i);
  ASSERT_EQ(ledger.findings().size(), 1U);
  EXPECT_EQ(ledger.findings()[0].impact, 0.9);
}

TEST(FindingLedger, BackSoonItHasNeverEnded) {
  FindingLedger ledger = with_open();
  for (int i = 2; i < 5; i++) ledger.observe(kNone, 5.0 * i);  // until 10
  const auto changes = ledger.observe({finding("a")}, 65);
  ASSERT_EQ(changes.opened.size(), 1U) << "whoever heard of its end hears of this";
  const auto all = ledger.findings();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].state, FindingState::ongoing);
  EXPECT_EQ(all[0].since, 0);
}

TEST(FindingLedger, BackLateItIsAnotherIncident) {
  FindingLedger ledger = with_open();
  for (int i = 2; i < 5; i++) ledger.observe(kNone, 5.0 * i);
  ledger.observe({finding("a")}, 100);
  ledger.observe({finding("a")}, 105);
  const auto all = ledger.findings();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].state, FindingState::open);
  EXPECT_EQ(all[0].since, 100);
  EXPECT_EQ(all[1].state, FindingState::resolved);
  EXPECT_EQ(all[1].since, 0);
}

TEST(FindingLedger, TwoAreKeptApart) {
  FindingLedger ledger = with_open();
  ledger.observe({finding("a"), finding("b", 0.7)}, 10);
  ledger.observe({finding("a"), finding("b", 0.7)}, 15);
  const auto all = ledger.findings();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].id, "b") << "most costly first";
  EXPECT_EQ(all[0].since, 10);
  EXPECT_EQ(all[1].since, 0);
}

TEST(FindingLedger, OneIdTwiceInAWindowCountsOnce) {
  FindingLedger ledger(options());
  EXPECT_TRUE(ledger.observe({finding("a"), finding("a")}, 0).opened.empty());
}

TEST(FindingLedger, ResolvedOnesAreForgottenAfterTheirTime) {
  FindingLedger ledger = with_open();
  for (int i = 2; i < 5; i++) ledger.observe(kNone, 5.0 * i);
  ledger.observe(kNone, 610);
  EXPECT_EQ(ledger.findings().size(), 1U);
  ledger.observe(kNone, 611);
  EXPECT_TRUE(ledger.findings().empty());
}

TEST(FindingLedger, NewestResolvedFirst) {
  FindingLedger ledger = with_open();
  for (int i = 2; i < 5; i++) ledger.observe(kNone, 5.0 * i);
  for (int i = 5; i < 7; i++) ledger.observe({finding("b")}, 5.0 * i);
  for (int i = 7; i < 10; i++) ledger.observe(kNone, 5.0 * i);
  const auto all = ledger.findings();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].id, "b");
  EXPECT_EQ(all[1].id, "a");
}

TEST(FindingLedger, MemoryIsBounded) {
  FindingLedger ledger(options());
  for (int i = 0; i < 10'000; i++) {
    std::vector<Finding> found;
    for (int k = 0; k < 10; k++) {
      found.push_back(finding(std::to_string(i / 2) + "/" + std::to_string(k)));
    }
    ledger.observe(found, 5.0 * i);
    EXPECT_LE(ledger.findings().size(), 8U);
  }
  EXPECT_GT(ledger.dropped(), 0U);
}

TEST(FindingLedger, WhenFullTheCostliestStay) {
  FindingLedger ledger(options());
  std::vector<Finding> found;
  for (int k = 0; k < 8; k++) found.push_back(finding(std::to_string(k), 0.1 * k));
  ledger.observe(found, 0);
  ledger.observe(found, 5);
  const auto all = ledger.findings();
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all[0].id, "7");
  EXPECT_EQ(all[3].id, "4");
}

TEST(FindingLedger, EvidenceIsBounded) {
  FindingLedger::Options o = options();
  o.most_evidence = 2;
  FindingLedger ledger(o);
  Finding f = finding("a");
  f.evidence.resize(50);
  ledger.observe({f}, 0);
  ledger.observe({f}, 5);
  EXPECT_EQ(ledger.findings()[0].evidence.size(), 2U);
}

TEST(FindingLedger, AClockThatGoesBackStandsStill) {
  FindingLedger ledger = with_open();
  ledger.observe({finding("a")}, 1000);
  ledger.observe({finding("a")}, -5000);
  EXPECT_EQ(ledger.findings()[0].since, 0);
  for (int i = 0; i < 3; i++) ledger.observe(kNone, -4000);
  EXPECT_EQ(ledger.findings()[0].until, 1000);
}

TEST(FindingLedger, GoesOnAfterAShortRestart) {
  FindingLedger before = with_open();
  before.observe({finding("a", 0.9)}, 10);
  before.observe({finding("a", 0.3)}, 15);
  FindingLedger ledger(options());
  const auto restored = ledger.restore(before.open(), before.observed(), 75);
  EXPECT_TRUE(restored.opened.empty());
  EXPECT_TRUE(restored.resolved.empty());
  ASSERT_EQ(ledger.findings().size(), 1U) << "there before the first window";
  EXPECT_EQ(ledger.findings()[0].state, FindingState::ongoing);
  EXPECT_TRUE(ledger.pending().empty());
  EXPECT_TRUE(ledger.observe({finding("a", 0.4)}, 80).opened.empty()) << "it was told";
  ASSERT_EQ(ledger.findings().size(), 1U);
  EXPECT_EQ(ledger.findings()[0].since, 0);
  EXPECT_EQ(ledger.findings()[0].impact, 0.4);
  for (int i = 0; i < 2; i++)
    EXPECT_TRUE(ledger.observe(kNone, 85 + 5.0 * i).resolved.empty()) << "as many windows as ever";
  const auto changes = ledger.observe(kNone, 95);
  ASSERT_EQ(changes.resolved.size(), 1U);
  EXPECT_EQ(changes.resolved[0].since, 0);
  EXPECT_EQ(changes.resolved[0].until, 85);
  EXPECT_EQ(changes.resolved[0].impact, 0.9) << "the worst window was before the restart";
}

TEST(FindingLedger, HasEndedInALongRestart) {
  FindingLedger before = with_open();
  FindingLedger ledger(options());
  const auto changes = ledger.restore(before.open(), before.observed(), 66);
  ASSERT_EQ(changes.resolved.size(), 1U);
  EXPECT_EQ(changes.resolved[0].state, FindingState::resolved);
  EXPECT_EQ(changes.resolved[0].since, 0);
  EXPECT_EQ(changes.resolved[0].until, 5) << "nobody saw it later";
  EXPECT_TRUE(ledger.open().empty());
  ASSERT_EQ(ledger.findings().size(), 1U);
  EXPECT_TRUE(ledger.observe({finding("a")}, 70).opened.empty());
  ASSERT_EQ(ledger.observe({finding("a")}, 75).opened.size(), 1U);
  EXPECT_EQ(ledger.findings()[0].since, 70) << "another one";
}

TEST(FindingLedger, WhatHadBegunToBeAbsentEndsThenInALongRestart) {
  FindingLedger before(options());
  for (int i = 0; i < 20; i++) before.observe({finding("a"), finding("b")}, 5.0 * i);
  before.observe({finding("b")}, 100);
  before.observe({finding("b")}, 105);
  FindingLedger ledger(options());
  const auto changes = ledger.restore(before.open(), before.observed(), 165);
  ASSERT_EQ(changes.resolved.size(), 1U) << "b was seen a minute ago, a has been absent for longer";
  EXPECT_EQ(changes.resolved[0].id, "a");
  EXPECT_EQ(changes.resolved[0].until, 100);
  ASSERT_EQ(ledger.open().size(), 1U);
  EXPECT_EQ(ledger.open()[0].newest.id, "b");
}

TEST(FindingLedger, WindowsWithoutItBeforeARestartCount) {
  FindingLedger before = with_open();
  before.observe(kNone, 10);
  before.observe(kNone, 15);
  ASSERT_EQ(before.open().size(), 1U);
  EXPECT_EQ(before.open()[0].missed, 2);
  EXPECT_EQ(before.open()[0].missed_since, 10);
  FindingLedger ledger(options());
  EXPECT_TRUE(ledger.restore(before.open(), before.observed(), 30).resolved.empty());
  const auto changes = ledger.observe(kNone, 35);
  ASSERT_EQ(changes.resolved.size(), 1U) << "the third in a row";
  EXPECT_EQ(changes.resolved[0].until, 10);
}

TEST(FindingLedger, OnlyWhatHasOpenedOutlivesARestart) {
  FindingLedger ledger = with_open();
  ledger.observe({finding("a"), finding("b")}, 10);
  ASSERT_EQ(ledger.open().size(), 1U);
  EXPECT_EQ(ledger.open()[0].newest.id, "a");
  for (int i = 3; i < 6; i++) ledger.observe(kNone, 5.0 * i);
  EXPECT_TRUE(ledger.open().empty());
}

TEST(FindingLedger, AClockThatWentBackOverARestartEndsNothing) {
  FindingLedger before(options());
  before.observe({finding("a")}, 5000);
  before.observe({finding("a")}, 5005);
  FindingLedger ledger(options());
  EXPECT_TRUE(ledger.restore(before.open(), before.observed(), 1000).resolved.empty());
  ASSERT_EQ(ledger.findings().size(), 1U);
  EXPECT_EQ(ledger.findings()[0].since, 1000) << "not in the future";
  ledger.observe(kNone, 1005);
  ledger.observe(kNone, 1010);
  const auto changes = ledger.observe(kNone, 1015);
  ASSERT_EQ(changes.resolved.size(), 1U);
  EXPECT_EQ(changes.resolved[0].until, 1005);
}

TEST(FindingLedger, RestoresNoMoreThanItKeeps) {
  FindingLedger::Options large = options();
  large.most = 8;
  FindingLedger before(large);
  std::vector<Finding> found;
  for (int k = 0; k < 6; k++) found.push_back(finding(std::to_string(k), 0.1 * k));
  before.observe(found, 0);
  before.observe(found, 5);
  FindingLedger ledger(options());
  ledger.restore(before.open(), 5, 10);
  ASSERT_EQ(ledger.findings().size(), 4U);
  EXPECT_EQ(ledger.findings()[3].id, "2") << "the costliest stay";
  EXPECT_EQ(ledger.dropped(), 2U);
}

struct Pace {
  int open_windows, resolve_windows;
};
class Hysteresis : public ::testing::TestWithParam<Pace> {};

TEST_P(Hysteresis, OpensAndEndsAfterExactlyAsManyWindowsAsAsked) {
  FindingLedger::Options o = options();
  o.open_windows = GetParam().open_windows;
  o.resolve_windows = GetParam().resolve_windows;
  FindingLedger ledger(o);
  double at = 0;
  int windows = 0;
  while (ledger.observe({finding("a")}, at++).opened.empty()) windows++;
  EXPECT_EQ(windows + 1, std::max(1, o.open_windows));
  windows = 0;
  while (ledger.observe(kNone, at++).resolved.empty()) windows++;
  EXPECT_EQ(windows + 1, std::max(1, o.resolve_windows));
}

INSTANTIATE_TEST_SUITE_P(Paces, Hysteresis,
                         ::testing::Values(Pace{1, 1}, Pace{1, 4}, Pace{2, 3}, Pace{3, 1},
                                           Pace{5, 10}));

TEST(FindingLedger, TellsWhatMayOpenNext) {
  FindingLedger ledger;
  Finding f;
  f.id = "lock_contention/demo";
  ledger.observe({f}, 100);
  ASSERT_EQ(ledger.pending().size(), 1U);
  EXPECT_EQ(ledger.pending()[0].since, 100);
  EXPECT_TRUE(ledger.findings().empty());
  ledger.observe({f}, 105);
  EXPECT_TRUE(ledger.pending().empty());
  EXPECT_EQ(ledger.findings().size(), 1U);
}

}  // namespace
}  // namespace nz::analysis
