// What the store takes, keeps and lets go; what is told of it is answers_test's.
#include "userspace/store/store.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cmath>
#include <fstream>
#include <limits>
#include <map>
#include <string>

#include "userspace/store/database.h"
#include "userspace/store/inbox.h"
#include "userspace/store/test_store.h"

namespace nz::store {
namespace {

using namespace testing;

TEST(Store, AFileThatCannotBeReadIsNoMissingState) {
  const Folder folder;
  auto store = open_store({.path = folder.path() + "/not/there/history.db"});
  EXPECT_FALSE(store->find_state("nothing"));
  EXPECT_FALSE(store->states("nothing"));
  EXPECT_EQ(store->get_state("nothing"), std::nullopt);
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
  for (const Level level : kLevels) {
    std::int64_t last = 0;
    for (const auto& [interval, cell] : points(folder.file(), "c_total", level)) {
      EXPECT_GE(interval.from, last) << "nothing overlaps";
      last = interval.to;
    }
  }
  constexpr double kGrowth = 6 * 905 * 5;
  EXPECT_EQ(growth_of(folder.file(), Level::raw), kGrowth);
  // What the last run has not lived to roll up is in no minute yet, and is made up for at an open.
  {
    auto store = open_store({.path = folder.file()});
    ASSERT_TRUE(store->flush());
  }
  EXPECT_EQ(growth_of(folder.file(), Level::minute), kGrowth);
  EXPECT_EQ(growth_of(folder.file(), Level::hour), kGrowth);
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
    EXPECT_EQ(store->states("alerts/").value(),
              (std::map<std::string, std::string>{{"alerts/disk", std::string("\0x", 2)},
                                                  {"alerts/latency", "resolved"}}));
    EXPECT_TRUE(store->states("baseline/").value().empty());
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
    add(*store, wall, boot, {counter("c_total", value)});
    save(*store);
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
    const double growth = growth_of(folder.file(), level);
    EXPECT_GE(growth, level == Level::raw ? 1800 : 1740) << "points never overwrite others";
    EXPECT_LE(growth, 1800);
  }
}

TEST(Store, AClockThatIsAYearAheadDoesNotCostAYear) {
  const Folder folder;
  auto store = open_store({.path = folder.file()});
  const auto at = [&](double wall, double boot) {
    add(*store, wall, boot, {gauge("g", 1)});
    save(*store);
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
  const double growth = growth_of(folder.file(), Level::raw);
  std::size_t drains = 0;
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
    FamilyList families;
    for (int i = 0; i < 25; i++) families.push_back(gauge(std::to_string(i), i));
    add(*store, kMidnight + s, families);
    save(*store);
  }
  EXPECT_EQ(store->window(0, 1e11).series.size(), 10U + 1) << "and the store's own";
  EXPECT_GE(value_of(*store, "nearzero_store_drops_total", {{"cause", "series_limit"}}), 15);
}

TEST(Store, SeriesOfThePastThatComeBackAreBoundedToo) {
  const Folder folder;
  auto store = open_store({.path = folder.file(), .most_series = 10});
  const auto minute_of = [&](int start, int first, int last) {
    for (int s = start; s <= start + 60; s += 10) {
      FamilyList families;
      for (int i = first; i < last; i++) families.push_back(counter(std::to_string(i), s + i));
      add(*store, kMidnight + s, families);
      save(*store);
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
      save(*store);
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
    store->add(t, FamilyList{gauge("g", 1)});
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
    FamilyList families;
    for (std::size_t i = 0; i < all.size(); i++) {
      for (std::uint64_t n = 0; n < 30; n++)
        all[i].record(1000 * (1 + (n * n + i * 7 + static_cast<std::uint64_t>(m)) % 5000));
      families.push_back(histogram("h", all[i], {{"i", std::to_string(i)}}));
    }
    add(*store, kMidnight + 60.0 * m, families);
    save(*store);
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
  FamilyList families;
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
