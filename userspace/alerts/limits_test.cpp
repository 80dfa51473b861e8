// Where limits are looked for, and how far ahead.
#include "userspace/alerts/limits.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "userspace/alerts/resource.h"
#include "userspace/alerts/test_scene.h"

namespace nz::alerts {
namespace {

using testing::kNow;
using testing::rules_of;

// Series as functions of time, as far back as history is said to reach.
class Past {
 public:
  using At = std::function<double(double seconds_before_now)>;
  double reaches = 30 * 86400.0;

  void series(const std::string& name, const analysis::Labels& labels, At at) {
    all_.push_back({name, labels, std::move(at)});
  }
  void disk(const std::string& mount, double size, At available) {
    series("nearzero_filesystem_bytes", {{"mount", mount}, {"device", "d"}, {"kind", "available"}},
           std::move(available));
    series("nearzero_filesystem_bytes", {{"mount", mount}, {"device", "d"}, {"kind", "size"}},
           [size](double) { return size; });
  }
  Limits::Trends trends(double now = kNow) {
    return [this, now](const history::Selector& selector, double from, double to, double step) {
      asked++;
      std::vector<history::Trend> result;
      for (const One& one : all_) {
        if (one.name != selector.name || !analysis::has_labels(one.labels, selector.labels))
          continue;
        history::Trend trend{one.labels, "", {}};
        for (double at = from + step; at <= to + step / 2; at += step) {
          const double before = now - at;
          trend.points.push_back({at, before < reaches ? one.at(before) : std::nan("")});
        }
        result.push_back(std::move(trend));
      }
      return result;
    };
  }
  std::size_t asked = 0;

 private:
  struct One {
    std::string name;
    analysis::Labels labels;
    At at;
  };
  std::vector<One> all_;
};

constexpr double kDay = 86400;

TEST(Limits, ADiskThatFillsOverDays) {
  Past past;
  past.disk("/var", 100e9, [](double before) { return 20e9 + before / kDay * 2e9; });
  past.disk("/quiet", 100e9, [](double) { return 5e9; });
  past.disk("/emptied", 100e9, [](double before) { return 50e9 - before / kDay * 2e9; });
  Limits limits(forecast_names());
  EXPECT_TRUE(limits.step(kNow, past.trends()));
  const auto all = limits.forecasts();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].what, "space of /var");
  EXPECT_EQ(all[0].subject, "disk_space");
  EXPECT_EQ(all[0].of.labels, (analysis::Labels{{"mount", "/var"}}));
  EXPECT_EQ(all[0].of.unit, "bytes");
  EXPECT_NEAR(all[0].value, 80e9, 1e9);
  EXPECT_EQ(all[0].limit, 100e9);
  EXPECT_NEAR(all[0].per_day, 2e9, 1e6);
  EXPECT_NEAR(*all[0].likeliest, kNow + 10 * kDay, 0.1 * kDay);
  EXPECT_LE(*all[0].earliest, *all[0].likeliest);
  EXPECT_EQ(limits.watched(), 3U);
}

TEST(Limits, OneThatFillsWithinTheHourIsSeenByTheHour) {
  Past past;
  // 1 GB a minute for half an hour, after weeks of rest.
  past.disk("/var", 100e9,
            [](double before) { return 80e9 - std::max(0.0, 1800 - before) / 60 * 1e9; });
  Limits limits(forecast_names());
  limits.step(kNow, past.trends());
  const auto all = limits.forecasts();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_NEAR(*all[0].likeliest, kNow + 50 * 60, 10 * 60);
}

TEST(Limits, NotFurtherThanFiveTimesThePast) {
  Past past;
  past.disk("/var", 100e9, [](double before) { return 20e9 + before / kDay * 2e9; });
  past.reaches = 12 * 3600;  // too little to speak of ten days
  Limits limits(forecast_names());
  limits.step(kNow, past.trends());
  EXPECT_TRUE(limits.forecasts().empty());
}

TEST(Limits, AfterADiskWasEmptiedTheOldLineIsForgotten) {
  Past past;
  past.disk("/var", 100e9,
            [](double before) { return before < 3600 ? 90e9 : 20e9 + before / kDay * 2e9; });
  Limits limits(forecast_names());
  limits.step(kNow, past.trends());
  EXPECT_TRUE(limits.forecasts().empty());
}

TEST(Limits, WhatIsFullIsReached) {
  Past past;
  past.series("nearzero_target_open_files", {{"target", "a"}, {"kind", "used"}},
              [](double) { return 1024; });
  past.series("nearzero_target_open_files", {{"target", "a"}, {"kind", "limit"}},
              [](double) { return 1024; });
  Limits limits(forecast_names());
  limits.step(kNow, past.trends());
  const auto all = limits.forecasts();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].what, "file descriptors of a");
  EXPECT_LE(*all[0].likeliest, kNow);
}

TEST(Limits, SeriesOfRulesAboveAndBelow) {
  Past past;
  const auto labels = [](const char* target) {
    return analysis::Labels{{"target", target}, {"database", "d"}, {"kind", "wal"}};
  };
  past.series("nearzero_sqlite_database_bytes", labels("a"),
              [](double before) { return 100e6 - before / 3600 * 10e6; });
  past.series("nearzero_sqlite_database_bytes", labels("b"),
              [](double before) { return 200e6 + before / 3600 * 10e6; });
  const auto rules = rules_of(R"(
rules:
  - {name: Up, forecast: {series: 'nearzero_sqlite_database_bytes{target=~"a|b"}', above: 150MB, within: 6h}}
  - {name: Down, forecast: {series: nearzero_sqlite_database_bytes, below: 150MB, within: 6h}}
  - {name: Same, forecast: {series: nearzero_sqlite_database_bytes, below: 150MB, within: 1h}}
)");
  Limits limits({});
  limits.want(rules);
  limits.step(kNow, past.trends());
  const auto all = limits.forecasts();
  std::map<std::string, double> hours;  // by subject and target
  for (const auto& f : all)
    hours[f.subject + " " + f.of.labels[0].second] = (*f.likeliest - kNow) / 3600;
  const std::string up = std::get<ForecastFound>(rules[0].condition).subject();
  const std::string down = std::get<ForecastFound>(rules[1].condition).subject();
  EXPECT_EQ(down, std::get<ForecastFound>(rules[2].condition).subject());
  EXPECT_NEAR(hours[up + " a"], 5, 0.1);
  EXPECT_NEAR(hours[down + " b"], 5, 0.1);
  EXPECT_LE(hours[up + " b"], 0) << "it is above";
  EXPECT_LE(hours[down + " a"], 0) << "it is below";
  limits.want({});
  limits.step(kNow, past.trends());
  EXPECT_TRUE(limits.forecasts().empty()) << "nobody wants them any more";
}

TEST(Limits, LooksNowAndThen) {
  Past past;
  Limits limits({"disk_space"});
  limits.step(kNow, past.trends());
  EXPECT_EQ(past.asked, 6U) << "three looks, each at what is available and at sizes";
  EXPECT_FALSE(limits.step(kNow + 10, past.trends()));
  EXPECT_TRUE(limits.step(kNow + 300, past.trends()));
  EXPECT_EQ(past.asked, 8U) << "at the last hour alone";
  EXPECT_TRUE(limits.step(kNow - 1e6, past.trends())) << "the clock was set back";
  EXPECT_EQ(past.asked, 14U);
}

TEST(Limits, TooManyAreCounted) {
  Past past;
  for (int i = 0; i < 300; i++)
    past.disk("/m" + std::to_string(i), 1e9, [](double) { return 1e8; });
  Limits limits({"disk_space"});
  limits.step(kNow, past.trends());
  EXPECT_EQ(limits.watched(), 256U);
  EXPECT_EQ(limits.dropped(), 3 * 44U);
}

}  // namespace
}  // namespace nz::alerts
