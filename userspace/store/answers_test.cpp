// What is told of history: windows, trends and families, from all levels together.
#include "userspace/store/answers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <thread>

#include "userspace/store/test_store.h"

namespace nz::store {
namespace {

using namespace testing;

TEST(Answers, WindowsCountExactlyWhatWasRecorded) {
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

TEST(Answers, QuantilesOverAnyRangeAreThoseOfAllValues) {
  const Folder folder;
  auto store = open_store({.path = folder.file()});
  // Nine minutes of 1 ms, one of 50 ms: the mean of the minutes' quantiles would be wrong.
  analysis::Histogram h;
  for (int s = 0; s <= 1200; s += 10) {
    h = after(h, {s % 600 < 60 ? 50'000'000U : 1'000'000U});
    add(*store, kMidnight + s, {histogram("h", h)});
    save(*store);
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

TEST(Answers, TrendsHaveAPointForEachStepAndHolesWhereNothingWas) {
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

TEST(Answers, AFamilyIsKnownByItsSeriesOnDisk) {
  const Folder folder;
  auto store = open_store({.path = folder.file()});
  Service service;
  run_service(*store, service, 0, 60);
  const auto family = store->family("h_seconds");
  ASSERT_TRUE(family);
  EXPECT_EQ(family->type, metrics::Type::histogram);
  ASSERT_EQ(family->samples.size(), 1U);
  EXPECT_EQ(family->samples[0].labels, (metrics::Labels{{"stage", "risk"}}));
  EXPECT_FALSE(store->family("h"));
  EXPECT_FALSE(store->family("")) << "not all of them";
}

TEST(Answers, AStepLongerThanTheRangeIsAnsweredFromFineEnoughIntervals) {
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

TEST(Answers, TrendsOfManySeriesTakeNoMoreThanSoMuchMemory) {
  const Folder folder;
  auto store = open_store({.path = folder.file()});
  for (int s = 0; s <= 60; s += 10) {
    FamilyList families;
    for (int i = 0; i < 5; i++) families.push_back(gauge("g", i, {{"i", std::to_string(i)}}));
    add(*store, kMidnight + s, families);
    save(*store);
  }
  const double from = kMidnight - 900'000;
  const auto one = store->trends({"g", {{"i", "3"}}, {}, false}, from, kMidnight + 60, 1);
  ASSERT_EQ(one.size(), 1U);
  EXPECT_EQ(one[0].points.size(), 900'060U);
  EXPECT_TRUE(store->trends({"g", {}, {}, false}, from, kMidnight + 60, 1).empty());
  EXPECT_EQ(value_of(*store, "nearzero_store_errors_total", {{"kind", "read"}}), 1) << "it is told";
  EXPECT_EQ(store->trends({"g", {}, {}, false}, from, kMidnight + 60, 60).size(), 5U);
}

TEST(Answers, LevelsAreJoinedWithoutAHoleAndWithoutCountingTwice) {
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

TEST(Answers, ReadersSeeWholeStatesWhileItWrites) {
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

}  // namespace
}  // namespace nz::store
