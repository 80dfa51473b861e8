// Rules on what detection found, against a store that an agent could have written.
#include "userspace/alerts/stored/stored_lists.h"

#include <gtest/gtest.h>

#include <map>

#include "userspace/alerts/replay.h"
#include "userspace/alerts/stored/stored_moments.h"
#include "userspace/alerts/test_scene.h"
#include "userspace/detected/spell_log.h"
#include "userspace/store/test_store.h"

namespace nz::alerts {
namespace {

using analysis::Incident;
using analysis::Regression;
using store::testing::counter;
using store::testing::FamilyList;
using store::testing::Folder;
using store::testing::gauge;
using store::testing::kMidnight;

constexpr const char* kStage = "nearzero_order_stage_duration_seconds";
// Seconds after midnight; an interval is 10 s, and alerts here end at once.
constexpr int kEnd = 1800;
constexpr double kNear = 21;

Regression regression() {
  Regression r;
  r.id = "r";
  r.of = {kStage, {{"target", "a"}, {"stage", "risk"}}, "p99", "seconds"};
  r.before = 1e-3;
  r.after = 1.3e-3;
  r.since = kMidnight + 250;
  r.earliest = kMidnight + 240;
  r.latest = kMidnight + 260;
  r.confidence = 0.99;
  return r;
}

Incident incident() {
  Incident i;
  i.id = "i";
  i.since = kMidnight + 900;
  i.members = {
      {{"nearzero_disk_in_flight", {{"device", "d"}}, "value", ""}, kMidnight + 900, 40, 2, 0.995}};
  return i;
}

/// What the agent kept: a regression from 300 s to 600 s that is worse from 450 s on, an incident
/// from 900 s to 1,200 s with a second member from 1,000 s on, a finding from 1,300 s to 1,500 s.
/// `untold`: regressions that it counts and did not keep.
/// `resolution`: seconds of an interval.
void write(const std::string& path, int untold = 0, double resolution = 10) {
  auto store = store::testing::open_store({.path = path, .resolution = resolution});
  auto regressions = detected::SpellLog<Regression>::open(*store).value();
  auto incidents = detected::SpellLog<Incident>::open(*store).value();
  for (int s = 0; s <= kEnd; s += 10) {
    std::vector<Regression> changed;
    std::vector<Incident> strange;
    if (s >= 300 && s < 600) {
      changed.push_back(regression());
      if (s >= 450) changed.back().after = 2e-3;
    }
    if (s >= 900 && s < 1200) {
      strange.push_back(incident());
      if (s >= 1000) {
        strange.back().members.push_back(
            {{kStage, {{"target", "a"}}, "p99", "seconds"}, kMidnight + 1000, 1, 0.1, 0.999});
      }
    }
    regressions.step(kMidnight + s, changed);
    incidents.step(kMidnight + s, strange);
    FamilyList families = {counter("nearzero_bottlenecks_dropped_total", 0),
                           gauge("nearzero_regressions_open",
                                 static_cast<double>(changed.size()) + untold, {{"kind", "worse"}}),
                           gauge("nearzero_incidents_open", static_cast<double>(strange.size()))};
    if (s >= 1300 && s < 1500)
      families.push_back(gauge("nearzero_bottleneck_impact_ratio", 0.3,
                               {{"target", "a"}, {"kind", "slow_statement"}}));
    store::testing::add(*store, kMidnight + s, families);
    if (s % 30 == 0) store::testing::save(*store);
  }
  store::testing::save(*store);
}

/// `from`: Unix seconds.
Replayed play(const std::string& path, const std::string& yaml, double from = 0) {
  auto reader = store::Reader::open(path);
  EXPECT_TRUE(reader) << reader.error().text();
  const auto rules = testing::rules_of("rules:\n" + yaml);
  auto moments = StoredMoments::open(**reader, families_of(rules), from, 0);
  EXPECT_TRUE(moments) << moments.error().text();
  EXPECT_TRUE((*moments)->problems().empty()) << (*moments)->problems().front();
  return replay(rules, **moments, {});
}

std::map<std::string, Alert> by_rule(const Replayed& replayed) {
  std::map<std::string, Alert> alerts;
  for (const Alert& alert : replayed.alerts) {
    EXPECT_TRUE(alerts.emplace(alert.rule, alert).second) << alert.rule << " fired twice";
  }
  return alerts;
}

void expect_times(const Alert& alert, int from, int to) {
  EXPECT_NEAR(alert.fired_at, kMidnight + from, kNear) << alert.rule;
  EXPECT_NEAR(alert.resolved_at, kMidnight + to, kNear) << alert.rule;
}

TEST(StoredLists, EachKindFiresWhileTheAgentKnewItAndNotOutside) {
  const Folder folder;
  write(folder.file());
  const Replayed r = play(folder.file(), R"(
  - {name: Changed, regression: {series: nearzero_order_stage_duration_seconds}, keep_firing_for: 0s}
  - {name: Doubled, regression: {least_change: 90%}, keep_firing_for: 0s}
  - {name: Tripled, regression: {least_change: 200%}, keep_firing_for: 0s}
  - {name: Strange, anomaly: {}, keep_firing_for: 0s}
  - {name: OfTwo, anomaly: {least_members: 2}, keep_firing_for: 0s}
  - {name: OfThree, anomaly: {least_members: 3}, keep_firing_for: 0s}
  - {name: Slow, bottleneck: {kinds: [slow_statement], where: 'target="a"', least_impact: 20%},
     severity: critical, keep_firing_for: 0s}
  - {name: Costly, bottleneck: {least_impact: 40%}, severity: critical, keep_firing_for: 0s}
)");
  const auto alerts = by_rule(r);
  ASSERT_EQ(alerts.size(), 5U);
  expect_times(alerts.at("Changed"), 300, 600);
  EXPECT_EQ(alerts.at("Changed").active_since, kMidnight + 250) << "when it began, not when told";
  EXPECT_EQ(testing::label(alerts.at("Changed"), "stage"), "risk");
  expect_times(alerts.at("Doubled"), 450, 600);
  expect_times(alerts.at("Strange"), 900, 1200);
  expect_times(alerts.at("OfTwo"), 1000, 1200);
  expect_times(alerts.at("Slow"), 1300, 1500);
  EXPECT_EQ(alerts.at("Slow").severity, Severity::critical);
  EXPECT_EQ(alerts.at("Slow").value, 0.3);
  EXPECT_TRUE(r.unknown.empty()) << r.unknown.front().rule << ": " << r.unknown.front().why;
  EXPECT_TRUE(r.in_part.empty()) << r.in_part.front().rule << ": " << r.in_part.front().why;
}

TEST(StoredLists, WhatTheSeriesOfFindingsDoNotTellIsNamedAndNotJudged) {
  const Folder folder;
  write(folder.file());
  const Replayed r = play(folder.file(), R"(
  - {name: Sure, severity: warning, bottleneck: {least_confidence: 60%}}
  - {name: AsFound, bottleneck: {}}
  - {name: Place, severity: warning, bottleneck: {where: 'where="x"'}}
  - {name: Another, bottleneck: {kinds: [lock_contention], least_confidence: 60%}}
  - {name: Elsewhere, bottleneck: {where: 'target="b",where="x"'}}
)");
  EXPECT_TRUE(r.alerts.empty());
  EXPECT_TRUE(r.unknown.empty()) << "before and after nothing was open";
  std::map<std::string, JudgedInPart> named;
  for (const JudgedInPart& part : r.in_part) named[part.rule] = part;
  ASSERT_EQ(named.size(), 3U) << "no finding could have fired the others";
  EXPECT_NE(named.at("Sure").why.find("confidence"), std::string::npos) << named.at("Sure").why;
  EXPECT_NE(named.at("AsFound").why.find("severity"), std::string::npos);
  EXPECT_NE(named.at("Place").why.find("place"), std::string::npos);
  EXPECT_NEAR(named.at("Sure").first, kMidnight + 1300, kNear);
  EXPECT_NEAR(static_cast<double>(named.at("Sure").steps), 20, 3);
}

// As of last week: the finding may have been open for a second of each minute, or for all of it.
TEST(StoredLists, HowLongOneWasOpenOfALongIntervalIsNotKnown) {
  const Folder folder;
  write(folder.file(), 0, 60);
  const Replayed r = play(folder.file(), R"(
  - {name: AtOnce, severity: warning, bottleneck: {}, keep_firing_for: 0s}
  - {name: Longer, severity: warning, bottleneck: {}, for: 30s, keep_firing_for: 0s}
  - {name: Elsewhere, severity: warning, bottleneck: {kinds: [lock_contention]}, for: 30s}
  - {name: Minutes, severity: warning, bottleneck: {}, for: 2m, keep_firing_for: 0s}
)");
  const auto alerts = by_rule(r);
  ASSERT_EQ(alerts.size(), 2U);
  EXPECT_NEAR(alerts.at("AtOnce").fired_at, kMidnight + 1300, 61);
  EXPECT_NEAR(alerts.at("Minutes").fired_at, kMidnight + 1420, 61);
  ASSERT_EQ(r.in_part.size(), 1U);
  EXPECT_EQ(r.in_part[0].rule, "Longer");
  EXPECT_NE(r.in_part[0].why.find("slow_statement of a was open for an unknown part of"),
            std::string::npos)
      << r.in_part[0].why;
  EXPECT_NEAR(static_cast<double>(r.in_part[0].steps), 4, 1);
  EXPECT_TRUE(r.unknown.empty()) << "at other times nothing was open";
}

// The series of the first interval are as of its end.
TEST(StoredLists, WhatCameInTheFirstIntervalWasNotThereAtItsBegin) {
  const Folder folder;
  constexpr int kInterval = 400;
  write(folder.file(), 0, kInterval);
  const Replayed r = play(folder.file(), "  - {name: Changed, regression: {}}\n");
  EXPECT_TRUE(r.in_part.empty()) << r.in_part.front().why;
  const char* found = "  - {name: Found, severity: warning, bottleneck: {}}\n";
  const auto alerts = by_rule(play(folder.file(), found, kMidnight + 3 * kInterval));
  ASSERT_EQ(alerts.size(), 1U);
  EXPECT_NEAR(alerts.at("Found").fired_at, kMidnight + 4 * kInterval, kNear);
}

TEST(StoredLists, WhatTheAgentCountedAndDidNotKeepIsNamed) {
  const Folder folder;
  write(folder.file(), 1);
  const Replayed r = play(folder.file(), R"(
  - {name: Changed, regression: {}, keep_firing_for: 0s}
  - {name: Strange, anomaly: {}, keep_firing_for: 0s}
)");
  const auto alerts = by_rule(r);
  EXPECT_NEAR(alerts.at("Changed").fired_at, kMidnight + 300, kNear) << "of the one that it kept";
  expect_times(alerts.at("Strange"), 900, 1200);
  ASSERT_EQ(r.in_part.size(), 1U);
  EXPECT_EQ(r.in_part[0].rule, "Changed");
  // At no moment all of them are known; about where the one begins and ends it may be counted late.
  EXPECT_LE(r.in_part[0].steps, r.steps);
  EXPECT_GE(r.in_part[0].steps + 8, r.steps);
  EXPECT_NE(r.in_part[0].why.find("1 regressions were open"), std::string::npos)
      << r.in_part[0].why;
}

TEST(StoredLists, OneWhoseFiguresJustChangedIsNotTwo) {
  const Folder folder;
  write(folder.file());
  auto reader = store::Reader::open(folder.file());
  ASSERT_TRUE(reader) << reader.error().text();
  const auto lists = StoredLists::read(**reader);
  ASSERT_TRUE(lists) << lists.error().text();
  StoredLists::Families series;
  series["nearzero_regressions_open"] = gauge("nearzero_regressions_open", 2, {{"kind", "worse"}});
  Moment moment;
  moment.at = kMidnight + 450;
  lists->tell(series, 10, moment);
  EXPECT_EQ(moment.gaps.regressions, "2 regressions were open, of which the history has 1");
}

TEST(StoredLists, WhatCannotBeReadIsTold) {
  const Folder folder;
  write(folder.file());
  {
    auto store = store::testing::open_store({.path = folder.file()});
    const auto put = store->put_state("spell/incident/007", "{}");
    ASSERT_TRUE(put) << put.error().text();
    store::testing::save(*store);
  }
  auto reader = store::Reader::open(folder.file());
  ASSERT_TRUE(reader) << reader.error().text();
  const auto lists = StoredLists::read(**reader);
  ASSERT_TRUE(lists) << lists.error().text();
  ASSERT_EQ(lists->problems().size(), 1U);
  EXPECT_NE(lists->problems()[0].find("spell/incident/007"), std::string::npos);
}

}  // namespace
}  // namespace nz::alerts
