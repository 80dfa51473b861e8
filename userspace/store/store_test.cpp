#include "userspace/store/store.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <cmath>
#include <fstream>
#include <limits>
#include <thread>

#include "userspace/store/answers.h"
#include "userspace/store/database.h"
#include "userspace/store/inbox.h"
#include "userspace/store/test_store.h"

namespace nz::store {
namespace {

using testing::add;
using testing::counter;
using testing::Folder;
using testing::gauge;
using testing::kDay;
using testing::kHour;
using testing::kMidnight;
using testing::open_store;
using testing::points;
using testing::run_service;
using testing::Service;
using testing::value_of;

TEST(Store, AFileThatCannotBeReadIsNoMissingState) {
  const Folder folder;
  auto store = open_store({.path = folder.path() + "/not/there/history.db"});
  EXPECT_FALSE(store->find_state("nothing"));
  EXPECT_EQ(store->get_state("nothing"), std::nullopt);
}

TEST(Store, WindowsCountExactlyWhatWasRecorded) {
  const Folder folder;
  auto store = open_store({.path = folder.file()});
  Service service;
  run_service(*store, service, 0, 300);
  const auto w = store->window(kMidnight + 60, kMidnight + 180);
  EXPECT_EQ(w.from, kMidnight + 60);
  EXPECT_EQ(w.to, kMidnight + 180);
  EXPECT_EQ(w.change("c_total"), 5 * 120);
  EXPECT_EQ(w.value("c_total"), 5 * 180);
  EXPECT_EQ(w.value("g"), 80);
  EXPECT_EQ(w.find("g")[0]->least, 0) << "100 seconds after the beginning";
  EXPECT_EQ(w.find("g")[0]->most, 99);
  const auto h = w.histogram("h_seconds", {{"stage", "risk"}});
  EXPECT_EQ(h.count(), 120U);
  EXPECT_EQ(h.min_ns, 1'000'000U) << "exact: drains told it";
  EXPECT_EQ(h.max_ns, 1'059'000U);
  const auto only = store->window(kMidnight, kMidnight + 300,
                                  [](const auto& name, const auto&) { return name == "g"; });
  ASSERT_EQ(only.series.size(), 1U);
  EXPECT_TRUE(store->window(kMidnight + 300, kMidnight).series.empty());
  EXPECT_TRUE(store->window(std::nan(""), kMidnight).series.empty());
}

TEST(Store, RollupsAddUpToTheRawIntervals) {
  const Folder folder;
  auto store = open_store({.path = folder.file()});
  Service service;
  run_service(*store, service, 0, 2 * 3600 + 120, 5);
  store.reset();
  for (const char* family : {"c_total", "h_seconds"}) {
    double sums[kLevelCount] = {};
    for (const Level level : kLevels) {
      for (const auto& [interval, cell] : points(folder.file(), family, level)) {
        if (interval.to > static_cast<std::int64_t>(kMidnight + 7200) * 1000) continue;
        sums[index_of(level)] += cell.growth;
        for (const auto& [slot, n] : cell.slots) {
          if (slot <= history::kOverflowSlot) sums[index_of(level)] += static_cast<double>(n);
        }
      }
    }
    EXPECT_EQ(sums[0], std::string(family) == "c_total" ? 36000 : 7200) << family;
    EXPECT_EQ(sums[1], sums[0]) << family;
    EXPECT_EQ(sums[2], sums[0]) << family;
  }
  const auto hours = points(folder.file(), "g", Level::hour);
  ASSERT_GE(hours.size(), 2U);
  EXPECT_EQ(hours[0].second.least, 0);
  EXPECT_EQ(hours[0].second.most, 95) << "of every fifth second";
  EXPECT_NEAR(hours[0].second.mean, 47.5, 0.2);
}

TEST(Store, QuantilesOverAnyRangeAreThoseOfAllValues) {
  const Folder folder;
  auto store = open_store({.path = folder.file()});
  // Nine minutes of 1 ms, one of 50 ms: the mean of the minutes' quantiles would be wrong.
  analysis::Histogram h;
  for (int s = 0; s <= 1200; s += 10) {
    h = testing::after(h, {s % 600 < 60 ? 50'000'000U : 1'000'000U});
    add(*store, kMidnight + s, {testing::histogram("h", h)});
    ASSERT_TRUE(store->flush());
  }
  const auto quantile = [&](double q, double step) {
    const auto trends = store->trends({"h", {}, q, false}, kMidnight, kMidnight + 1200, step);
    return trends.empty() ? -1 : trends[0].points.back().value;
  };
  EXPECT_NEAR(quantile(0.5, 1200), 0.001, 0.00005);
  EXPECT_NEAR(quantile(0.89, 1200), 0.001, 0.00005);
  EXPECT_NEAR(quantile(0.95, 1200), 0.05, 0.0025);
  EXPECT_NEAR(quantile(0.89, 600), 0.001, 0.00005);
}

TEST(Store, TrendsHaveAPointForEachStepAndHolesWhereNothingWas) {
  const Folder folder;
  auto store = open_store({.path = folder.file()});
  Service service;
  run_service(*store, service, 0, 600);
  const auto rate = store->trends({"c_total", {}, {}, false}, kMidnight - 120, kMidnight + 720, 60);
  ASSERT_EQ(rate.size(), 1U);
  EXPECT_EQ(rate[0].unit, "per second");
  EXPECT_EQ(rate[0].labels, (metrics::Labels{{"k", "v"}}));
  ASSERT_EQ(rate[0].points.size(), 14U);
  for (std::size_t i = 0; i < 14; i++) {
    EXPECT_EQ(rate[0].points[i].at, kMidnight - 60 + 60.0 * static_cast<double>(i));
    if (i < 2 || i >= 12) {
      EXPECT_TRUE(std::isnan(rate[0].points[i].value)) << i;
    } else {
      EXPECT_EQ(rate[0].points[i].value, 5) << i;
    }
  }
  const auto mean =
      store->trends({"h_seconds", {{"stage", "risk"}}, {}, true}, kMidnight, kMidnight + 600, 600);
  ASSERT_EQ(mean.size(), 1U);
  EXPECT_NEAR(mean[0].points[0].value, 0.0010295, 1e-9);
  EXPECT_TRUE(store->trends({"h_seconds", {{"stage", "none"}}, {}, true}, 0, 1e10, 1e9).empty());
  EXPECT_TRUE(store->trends({"c_total", {}, {}, false}, 0, 1e10, 1).empty()) << "too many steps";
  EXPECT_TRUE(store->trends({"c_total", {}, {}, false}, 0, 1e10, 0).empty());
  const auto one = store->trends({"c_total", {}, {}, false}, kMidnight, kMidnight + 600, 1e15);
  ASSERT_EQ(one.size(), 1U);
  ASSERT_EQ(one[0].points.size(), 1U) << "a step that is longer than the range";
  EXPECT_EQ(one[0].points[0].value, 5);
}

TEST(Store, AStepLongerThanTheRangeIsAnsweredFromFineEnoughIntervals) {
  const Folder folder;
  auto store = open_store({.path = folder.file()});
  Service service;
  run_service(*store, service, 0, 3 * 3600 + 60, 30);
  // No hour has its middle in it, and its minutes are in no block yet.
  const double from = kMidnight + 160 * 60, to = from + 20 * 60;
  const auto day = store->trends({"c_total", {}, {}, false}, from, to, kDay);
  ASSERT_EQ(day.size(), 1U);
  ASSERT_EQ(day[0].points.size(), 1U);
  EXPECT_EQ(day[0].points[0].at, to);
  EXPECT_EQ(day[0].points[0].value, 5);
}

TEST(Store, TrendsOfManySeriesTakeNoMoreThanSoMuchMemory) {
  const Folder folder;
  auto store = open_store({.path = folder.file()});
  for (int s = 0; s <= 60; s += 10) {
    testing::FamilyList families;
    for (int i = 0; i < 5; i++) families.push_back(gauge("g", i, {{"i", std::to_string(i)}}));
    add(*store, kMidnight + s, families);
    ASSERT_TRUE(store->flush());
  }
  const double from = kMidnight - 900'000;
  const auto one = store->trends({"g", {{"i", "3"}}, {}, false}, from, kMidnight + 60, 1);
  ASSERT_EQ(one.size(), 1U);
  EXPECT_EQ(one[0].points.size(), 900'060U);
  EXPECT_TRUE(store->trends({"g", {}, {}, false}, from, kMidnight + 60, 1).empty());
  EXPECT_EQ(value_of(*store, "nearzero_store_errors_total", {{"kind", "read"}}), 1) << "it is told";
  EXPECT_EQ(store->trends({"g", {}, {}, false}, from, kMidnight + 60, 60).size(), 5U);
}

TEST(Store, LevelsAreJoinedWithoutAHoleAndWithoutCountingTwice) {
  const Folder folder;
  // Raw for 10 minutes, minutes for an hour: most of four hours is in hours alone.
  auto store = open_store({.path = folder.file(), .keep_raw = 600, .keep_minutes = kHour});
  Service service;
  const int end = 28 * 3600;
  run_service(*store, service, 0, end, 30);
  ASSERT_FALSE(points(folder.file(), "c_total", Level::raw).empty());
  EXPECT_LT(points(folder.file(), "c_total", Level::raw).size(), 80U);
  EXPECT_LT(points(folder.file(), "c_total", Level::minute).size(), 1100U) << "blocks of 8 hours";
  EXPECT_EQ(points(folder.file(), "c_total", Level::hour).size(), 28U);
  for (const double range : {1800.0, 7200.0, 20.0 * 3600, 28.0 * 3600}) {
    const auto w = store->window(kMidnight + end - range, kMidnight + end);
    EXPECT_NEAR(w.change("c_total"), 5 * range, 5 * 3600) << range;
    EXPECT_EQ(w.change("c_total"), 5 * w.seconds()) << range;
    EXPECT_EQ(static_cast<double>(w.histogram("h_seconds").count()), w.seconds()) << range;
  }
  const auto all = store->window(0, 1e11);
  EXPECT_EQ(all.change("c_total"), 5.0 * end);
  EXPECT_EQ(all.value("c_total"), 5.0 * end);
  const auto range = store->range();
  ASSERT_TRUE(range);
  EXPECT_EQ(range->first, kMidnight);
  EXPECT_EQ(range->second, kMidnight + end);
}

TEST(Store, GoesOnWhereItEndedAndLosesNoRollup) {
  const Folder folder;
  int end = 0;
  for (int run = 0; run < 6; run++) {
    auto store = open_store({.path = folder.file()});
    Service service;  // begins at 0 again, as an agent does
    const double start = kMidnight + run * 1000;
    run_service(*store, service, 0, 905, 1, start);
    end = run * 1000 + 905;
  }
  double growth[kLevelCount] = {};
  for (const Level level : kLevels) {
    std::int64_t last = 0;
    for (const auto& [interval, cell] : points(folder.file(), "c_total", level)) {
      EXPECT_GE(interval.from, last) << "nothing overlaps";
      last = interval.to;
      growth[index_of(level)] += cell.growth;
    }
  }
  EXPECT_EQ(growth[0], 6 * 905 * 5);
  // What the last run has not lived to roll up is in no minute yet, and is made up for at an open.
  {
    auto store = open_store({.path = folder.file()});
    ASSERT_TRUE(store->flush());
  }
  double minutes = 0;
  double hours = 0;
  for (const auto& [i, cell] : points(folder.file(), "c_total", Level::minute))
    minutes += cell.growth;
  for (const auto& [i, cell] : points(folder.file(), "c_total", Level::hour)) hours += cell.growth;
  EXPECT_EQ(minutes, growth[0]);
  EXPECT_EQ(hours, growth[0]);
  auto store = open_store({.path = folder.file()});
  const auto trends = store->trends({"c_total", {}, {}, false}, kMidnight, kMidnight + end, 1000);
  ASSERT_EQ(trends.size(), 1U);
  for (const auto& p : trends[0].points)
    EXPECT_EQ(p.value, 5) << "an agent that was off does not make a rate small";
}

TEST(Store, WhatOthersGiveToKeepIsThereAtOnceAndAfterARestart) {
  const Folder folder;
  {
    auto store = open_store({.path = folder.file()});
    ASSERT_TRUE(store->put_state("alerts/latency", "firing"));
    ASSERT_TRUE(store->put_state("alerts/disk", std::string("\0x", 2)));
    ASSERT_TRUE(store->put_state("baseline/1", "b"));
    EXPECT_EQ(store->get_state("alerts/latency"), "firing");
    EXPECT_EQ(store->get_state("nothing"), std::nullopt);
    EXPECT_EQ(store->find_state("nothing").value(), std::nullopt);
    ASSERT_TRUE(store->flush());
    ASSERT_TRUE(store->put_state("alerts/latency", "resolved"));
    store->remove_state("baseline/1");
    EXPECT_EQ(store->get_state("alerts/latency"), "resolved");
    EXPECT_EQ(store->get_state("baseline/1"), std::nullopt);
    EXPECT_EQ(store->state_keys("alerts/"),
              (std::vector<std::string>{"alerts/disk", "alerts/latency"}));
    EXPECT_TRUE(store->state_keys("baseline/").empty());
    store->add_event({kMidnight + 1, "process_start", "gateway", "pid 7 started"});
    store->add_event({kMidnight, "boot", "host", std::string(10'000, 'x')});
    store->add_event({std::nan(""), "boot", "host", ""});
    EXPECT_EQ(store->events(0, 1e11).size(), 2U);
    ASSERT_TRUE(store->put_report(
        {"r1", "first", kMidnight, kMidnight - 60, kMidnight, 3, true, std::string(100'000, 'r')}));
    ASSERT_TRUE(store->put_report({"r2", "second", kMidnight + 1, 1, 2, 0, false, "{}"}));
    ASSERT_EQ(store->reports().size(), 2U);
    EXPECT_FALSE(store->put_state("large", std::string(17U << 20U, 'x')));
  }
  auto store = open_store({.path = folder.file()});
  EXPECT_EQ(store->get_state("alerts/latency"), "resolved");
  EXPECT_EQ(store->get_state("alerts/disk"), std::string("\0x", 2));
  EXPECT_EQ(store->get_state("baseline/1"), std::nullopt);
  const auto events = store->events(0, 1e11);
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].kind, "boot") << "by time";
  EXPECT_EQ(events[0].text.size(), 4096U);
  EXPECT_EQ(events[1].text, "pid 7 started");
  EXPECT_EQ(store->events(kMidnight + 0.5, kMidnight + 2).size(), 1U);
  const auto reports = store->reports();
  ASSERT_EQ(reports.size(), 2U);
  EXPECT_EQ(reports[0].id, "r2") << "newest first";
  EXPECT_TRUE(reports[1].body.empty());
  const auto first = store->report("r1");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->body, std::string(100'000, 'r'));
  EXPECT_EQ(first->title, "first");
  EXPECT_EQ(first->findings, 3U);
  EXPECT_TRUE(first->complete);
  EXPECT_FALSE(store->report("r3"));
}

TEST(Inbox, ATextIsNotCutWithinACharacter) {
  Inbox inbox;
  const std::string most(4095, 'x');
  ASSERT_TRUE(inbox.add({kMidnight, "boot", "host", most + "\xc3\xa9 and more"}));
  ASSERT_TRUE(inbox.add({kMidnight, "boot", "host", std::string(5000, '\x80')}));
  const auto events = inbox.pending().events;
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].text, most);
  EXPECT_GT(events[1].text.size(), 4090U) << "what is no text is cut somewhere";
}

TEST(Store, AClockThatIsSetIsAnEventAndCostsNothing) {
  const Folder folder;
  auto store = open_store({.path = folder.file()});
  const auto at = [&](double wall, double boot, double value) {
    store->add(
        wall,
        std::make_shared<const testing::FamilyList>(testing::FamilyList{counter("c_total", value)}),
        boot);
    ASSERT_TRUE(store->flush());
  };
  for (int s = 0; s <= 600; s += 5) at(kMidnight + s, s, s);
  for (int s = 605; s <= 1200; s += 5) at(kMidnight + s - 300, s, s);    // back
  for (int s = 1205; s <= 1800; s += 5) at(kMidnight + s + 7200, s, s);  // forward
  const auto events = store->events(0, 1e11);
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].kind, "clock_set");
  EXPECT_EQ(events[0].text, "the clock was set back by 300.0 s");
  EXPECT_EQ(events[1].text, "the clock was set forward by 7500.0 s");
  store.reset();
  for (const Level level : {Level::raw, Level::minute}) {
    double growth = 0;
    for (const auto& [i, cell] : points(folder.file(), "c_total", level)) growth += cell.growth;
    EXPECT_GE(growth, level == Level::raw ? 1800 : 1740) << "points never overwrite others";
    EXPECT_LE(growth, 1800);
  }
}

TEST(Store, AClockThatIsAYearAheadDoesNotCostAYear) {
  const Folder folder;
  auto store = open_store({.path = folder.file()});
  const auto at = [&](double wall, double boot) {
    store->add(wall,
               std::make_shared<const testing::FamilyList>(testing::FamilyList{gauge("g", 1)}),
               boot);
    ASSERT_TRUE(store->flush());
  };
  for (int s = 0; s <= 12 * 3600; s += 60) at(kMidnight + s, s);
  const auto before = points(folder.file(), "g", Level::minute).size();
  for (int s = 0; s < 1800; s += 60) at(kMidnight + 366 * kDay + s, 12 * 3600 + 60 + s);
  EXPECT_GT(points(folder.file(), "g", Level::minute).size(), before);
  EXPECT_FALSE(points(folder.file(), "g", Level::raw).empty());
}

TEST(Store, AFullQueueJoinsDrainsAndCountsThem) {
  const Folder folder;
  auto store = open_store({.path = folder.file()});
  Service service;
  for (int s = 0; s <= 3000; s++) add(*store, kMidnight + s, service.families(s));
  store.reset();
  double growth = 0;
  std::size_t drains = 0;
  for (const auto& [i, cell] : points(folder.file(), "c_total", Level::raw)) growth += cell.growth;
  for (const auto& [i, cell] : points(folder.file(), "nearzero_store_drains", Level::raw))
    drains += static_cast<std::size_t>(cell.value);
  // The first drain that is taken is only a begin; which one depends on the threads.
  EXPECT_GE(growth, 5 * 2900);
  EXPECT_LE(growth, 5 * 3000);
  EXPECT_LE(drains, 3000U);
}

TEST(Store, SeriesBeyondTheLimitAreCountedNotKept) {
  const Folder folder;
  auto store = open_store({.path = folder.file(), .most_series = 10});
  for (int s = 0; s <= 60; s += 10) {
    testing::FamilyList families;
    for (int i = 0; i < 25; i++) families.push_back(gauge(std::to_string(i), i));
    add(*store, kMidnight + s, families);
    ASSERT_TRUE(store->flush());
  }
  EXPECT_EQ(store->window(0, 1e11).series.size(), 10U + 1) << "and the store's own";
  EXPECT_GE(value_of(*store, "nearzero_store_drops_total", {{"cause", "series_limit"}}), 15);
}

TEST(Store, SeriesOfThePastThatComeBackAreBoundedToo) {
  const Folder folder;
  auto store = open_store({.path = folder.file(), .most_series = 10});
  const auto minute_of = [&](int start, int first, int last) {
    for (int s = start; s <= start + 60; s += 10) {
      testing::FamilyList families;
      for (int i = first; i < last; i++) families.push_back(counter(std::to_string(i), s + i));
      add(*store, kMidnight + s, families);
      ASSERT_TRUE(store->flush());
    }
  };
  minute_of(0, 0, 10);
  minute_of(2 * 3600, 10, 20);
  minute_of(4 * 3600, 0, 20);
  EXPECT_EQ(store->window(kMidnight, kMidnight + 5 * 3600).series.size(), 20U + 1) << "all known";
  const double back = kMidnight + 4 * 3600;
  EXPECT_EQ(store->window(back + 10, back + 60).series.size(), 10U + 1) << "and the store's own";
  EXPECT_GE(value_of(*store, "nearzero_store_drops_total", {{"cause", "series_limit"}}), 10);
}

TEST(Store, SeriesThatNoLevelHoldsMakeRoomForNewOnes) {
  const Folder folder;
  const Options options{.path = folder.file(),
                        .keep_raw = 1800,
                        .keep_minutes = 2 * kHour,
                        .keep_hours = 4 * kHour,
                        .most_series = 4};
  auto store = open_store(options);
  const auto hour_of = [&](int hour, const std::string& name) {
    for (int s = 600; s <= 3600; s += 600) {
      add(*store, kMidnight + hour * 3600 + s, {gauge(name, s)});
      ASSERT_TRUE(store->flush());
    }
  };
  for (int hour = 0; hour < 60; hour++) hour_of(hour, "g" + std::to_string(hour));
  EXPECT_EQ(value_of(*store, "nearzero_store_drops_total", {{"cause", "series_limit"}}), 0);
  EXPECT_LT(value_of(*store, "nearzero_store_series"), 12);
  EXPECT_FALSE(points(folder.file(), "g59", Level::minute).empty());
  hour_of(60, "g0");
  EXPECT_FALSE(points(folder.file(), "g0", Level::raw).empty()) << "under a number of its own";
}

TEST(Store, WhatIsNotATimeIsCounted) {
  const Folder folder;
  auto store = open_store({.path = folder.file()});
  for (const double t : {-1.0, 0.0, std::nan(""), std::numeric_limits<double>::infinity(), 2e10})
    store->add(t, testing::FamilyList{gauge("g", 1)});
  EXPECT_EQ(value_of(*store, "nearzero_store_drops_total", {{"cause", "time"}}), 5);
}

TEST(Store, OldThingsGoInSlicesAndSizeIsKept) {
  const Folder folder;
  // Of three days there is room for less than one.
  const Options options{
      .path = folder.file(), .keep_raw = 1800, .keep_minutes = 10 * kDay, .most_bytes = 1U << 20U};
  auto store = open_store(options);
  std::vector<analysis::Histogram> all(40);
  for (int m = 0; m <= 3 * 1440; m++) {
    testing::FamilyList families;
    for (std::size_t i = 0; i < all.size(); i++) {
      for (std::uint64_t n = 0; n < 30; n++)
        all[i].record(1000 * (1 + (n * n + i * 7 + static_cast<std::uint64_t>(m)) % 5000));
      families.push_back(testing::histogram("h", all[i], {{"i", std::to_string(i)}}));
    }
    add(*store, kMidnight + 60.0 * m, families);
    ASSERT_TRUE(store->flush());
  }
  const auto sizes = sizes_of(folder.file());
  EXPECT_LT(sizes.database, 4U << 20U) << "what is not in blocks yet cannot go by its size";
  const auto raw = points(folder.file(), "nearzero_store_drains", Level::raw);
  EXPECT_LT(raw.size(), 80U);
  const auto minutes = points(folder.file(), "nearzero_store_drains", Level::minute);
  ASSERT_FALSE(minutes.empty());
  EXPECT_GT(minutes.front().first.from, static_cast<std::int64_t>(kMidnight) * 1000)
      << "the oldest went";
  EXPECT_EQ(points(folder.file(), "nearzero_store_drains", Level::hour).size(), 72U)
      << "hours stay as long as minutes can go";
}

TEST(Store, ASecondAgentIsRefused) {
  const Folder folder;
  auto store = open_store({.path = folder.file()});
  const auto second = Store::open({.path = folder.file()});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, EWOULDBLOCK);
  store.reset();
  EXPECT_TRUE(Store::open({.path = folder.file()}));
}

TEST(Store, ReadersSeeWholeStatesWhileItWrites) {
  const Folder folder;
  auto store = open_store({.path = folder.file()});
  Service service;
  run_service(*store, service, 0, 60);
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  std::atomic<int> asked{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; i++) {
    threads.emplace_back([&] {
      while (!stop) {
        const auto w = store->window(0, 1e11);
        if (w.change("c_total") != 5 * w.seconds()) wrong++;
        if (static_cast<double>(w.histogram("h_seconds").count()) != w.seconds()) wrong++;
        asked++;
      }
    });
  }
  run_service(*store, service, 61, 10 * 3600, 20);
  stop = true;
  for (auto& t : threads) t.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(asked, 10);
}

TEST(Store, AFileThatIsRemovedUnderneathIsBegunAnew) {
  const Folder folder;
  auto store = open_store({.path = folder.file()});
  Service service;
  run_service(*store, service, 0, 120);
  for (const char* part : {"", "-wal", "-shm"}) std::filesystem::remove(folder.file() + part);
  run_service(*store, service, 121, 400);
  EXPECT_TRUE(std::filesystem::exists(folder.file()));
  EXPECT_GT(store->window(kMidnight + 200, kMidnight + 400).change("c_total"), 0);
}

TEST(Store, EveryFamilyIsDocumented) {
  std::ifstream file(NZ_DOCUMENTATION);
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  ASSERT_FALSE(text.empty());
  const Folder folder;
  auto store = open_store({.path = folder.file()});
  Service service;
  run_service(*store, service, 0, 60);
  testing::FamilyList families;
  store->collect(families);
  EXPECT_GE(families.size(), 8U);
  for (const metrics::Family& f : families) {
    EXPECT_FALSE(f.help.empty()) << f.name;
    const std::string name = f.name.substr(std::string("nearzero_").size());
    EXPECT_NE(text.find("`" + name + "`"), std::string::npos) << name;
  }
  EXPECT_EQ(value_of(*store, "nearzero_store_available"), 1);
  EXPECT_GT(value_of(*store, "nearzero_store_points_total", {{"level", "raw"}}), 20);
  EXPECT_GT(value_of(*store, "nearzero_store_bytes", {{"kind", "wal"}}), 4096);
}

}  // namespace
}  // namespace nz::store
