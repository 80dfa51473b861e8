// Rules against a store that an agent could have written.
#include "userspace/alerts/stored/stored_moments.h"

#include <gtest/gtest.h>

#include <cmath>

#include "userspace/alerts/replay.h"
#include "userspace/alerts/rule_file.h"
#include "userspace/store/answers.h"
#include "userspace/store/test_store.h"

namespace nz::alerts {
namespace {

using store::testing::counter;
using store::testing::Folder;
using store::testing::gauge;
using store::testing::histogram;
using store::testing::kMidnight;

constexpr const char* kStageTime = "nearzero_order_stage_duration_seconds";

// An hour of drains each 10 s: switched off from the 20th minute to the 30th, orders of 1 ms that
// take 16 ms from the 40th on, and a counter that grows by 5 a second.
void write_hour(const std::string& path, int seconds = 3600) {
  auto store = store::testing::open_store({.path = path});
  analysis::Histogram orders;
  for (int s = 0; s <= seconds; s += 10) {
    analysis::Histogram fresh;
    if (s > 0) {
      for (int i = 0; i < 100; i++) fresh.record(s > 2400 ? 16'000'000 : 1'000'000);
    }
    orders.merge(fresh);
    orders.min_ns = fresh.min_ns;
    orders.max_ns = fresh.max_ns;
    store::testing::add(
        *store, kMidnight + s,
        {gauge("nearzero_off", s > 1200 && s <= 1800 ? 1 : 0),
         counter("nearzero_drops_total", 7 + 5.0 * s, {{"probe", "p"}, {"cause", "c"}}),
         histogram(kStageTime, orders, {{"target", "a"}, {"stage", "order"}}),
         gauge("nearzero_filesystem_bytes", 100e9 - s * 20e6,
               {{"mount", "/"}, {"device", "d"}, {"kind", "available"}}),
         gauge("nearzero_filesystem_bytes", 200e9,
               {{"mount", "/"}, {"device", "d"}, {"kind", "size"}})});
    if (s % 30 == 0) {
      const auto done = store->flush();
      ASSERT_TRUE(done) << done.error().text();
    }
  }
}

std::vector<Rule> rules_of(const std::string& yaml) {
  RuleFile file = parse_rules("rules:\n" + yaml, "f");
  EXPECT_TRUE(file.problems.empty()) << file.problems.front();
  return std::move(file.rules);
}

class Stored : public ::testing::Test {
 protected:
  void SetUp() override {
    write_hour(folder_.file());
    auto reader = store::Reader::open(folder_.file());
    ASSERT_TRUE(reader) << reader.error().text();
    reader_ = std::move(*reader);
  }
  Replayed play(const std::string& yaml, ReplayOptions options = {}) {
    const auto rules = rules_of(yaml);
    auto moments = StoredMoments::open(*reader_, families_of(rules), 0, options.to);
    EXPECT_TRUE(moments) << moments.error().text();
    options.trends = [&](const history::Selector& selector, double from, double to, double step) {
      return store::trends(*reader_, selector, from, to, step).value();
    };
    return replay(rules, **moments, options);
  }
  Folder folder_;
  std::unique_ptr<store::Reader> reader_;
};

TEST_F(Stored, GaugesCountersAndHistogramsAreJudgedAsTheyWere) {
  const auto r = play(R"(
  - {name: Off, threshold: {series: nearzero_off, window: 30s, above: 0}, keep_firing_for: 0s}
  - {name: Drops, threshold: {series: nearzero_drops_total, statistic: rate, window: 1m, above: 4.9/s}}
  - {name: Fewer, threshold: {series: nearzero_drops_total, statistic: rate, window: 1m, above: 5.1/s}}
  - {name: Slow, threshold: {series: nearzero_order_stage_duration_seconds, window: 1m, above: 10ms}}
)");
  EXPECT_TRUE(r.problems.empty());
  EXPECT_GE(r.steps, 300U);
  ASSERT_EQ(r.alerts.size(), 3U);
  EXPECT_EQ(r.alerts[0].rule, "Drops");
  EXPECT_EQ(r.alerts[1].rule, "Off");
  EXPECT_NEAR(r.alerts[1].fired_at, kMidnight + 1210, 21);
  EXPECT_NEAR(r.alerts[1].resolved_at, kMidnight + 1810, 21);
  EXPECT_EQ(r.alerts[2].rule, "Slow");
  EXPECT_NEAR(r.alerts[2].fired_at, kMidnight + 2410, 31);
  EXPECT_EQ(r.alerts[2].resolved_at, 0) << "still fires";
}

TEST_F(Stored, FromAndToWithWhatWasBefore) {
  ReplayOptions options;
  options.from = kMidnight + 1500;
  options.to = kMidnight + 1700;
  const auto r =
      play("  - {name: Off, threshold: {series: nearzero_off, window: 30s, above: 0}}\n", options);
  ASSERT_EQ(r.alerts.size(), 1U);
  EXPECT_NEAR(r.alerts[0].fired_at, kMidnight + 1500, 11) << "the window before was read";
  EXPECT_LE(r.to, kMidnight + 1700);
}

TEST_F(Stored, ForecastsAreMadeOfWhatWasKnownThen) {
  // 20 MB a second of 100 GB: full at 5,000 s.
  const auto r = play("  - {name: Full, forecast: {of: disk_space, within: 1h}}\n");
  ASSERT_EQ(r.alerts.size(), 1U);
  // An hour before, at 1,400 s, and then by the next look, which comes each 5 minutes.
  EXPECT_GE(r.alerts[0].fired_at, kMidnight + 1390);
  EXPECT_LE(r.alerts[0].fired_at, kMidnight + 1400 + 330);
}

TEST_F(Stored, WhatNobodyRecordedIsNamed) {
  const auto r = play("  - {name: G, regression: {}}\n");
  ASSERT_EQ(r.unknown.size(), 1U);
  EXPECT_EQ(r.unknown[0].rule, "G");
}

TEST_F(Stored, NothingOfThatTime) {
  const auto none = StoredMoments::open(*reader_, {"nearzero_off"}, kMidnight + 1e6, 0);
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().text().find("history info"), std::string::npos);
}

TEST_F(Stored, MomentsComeInOrderAndAddUp) {
  auto moments = StoredMoments::open(*reader_, {"nearzero_drops_total", kStageTime}, 0, 0);
  ASSERT_TRUE(moments);
  double last = 0, drops = 0;
  std::uint64_t orders = 0;
  std::size_t n = 0;
  for (auto m = (*moments)->next(); m && *m; m = (*moments)->next()) {
    EXPECT_GT((*m)->at, last);
    last = (*m)->at;
    n++;
    for (const metrics::Family& f : *(*m)->families) {
      if (f.name == "nearzero_drops_total") drops = f.samples.at(0).value;
      if (f.name == kStageTime) orders = f.samples.at(0).histogram->count();
    }
  }
  EXPECT_GE(n, 300U);
  EXPECT_NEAR(drops, 5.0 * 3600, 60) << "what grew, not what was before";
  EXPECT_NEAR(static_cast<double>(orders), 36'000, 120);
  EXPECT_EQ((*moments)->done(), (*moments)->all());
}

}  // namespace
}  // namespace nz::alerts
