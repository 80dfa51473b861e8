// What windows of history hold; trends_test has what is asked of it step by step.
#include "userspace/history/history.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <limits>
#include <random>
#include <thread>

#include "userspace/history/test_history.h"

namespace nz::history {
namespace {

using analysis::Window;
using namespace testing;

TEST(History, WindowsEndNowAndCountExactly) {
  History history({.resolution = 10, .length = 3600});
  EXPECT_EQ(history.oldest(), 0);
  EXPECT_TRUE(history.window(0, kStart).series.empty());
  fill(history, 0, 125);
  EXPECT_EQ(history.oldest(), kStart);
  EXPECT_EQ(history.newest(), kStart + 125);
  const Window w = history.window(kStart + 65, kStart + 125);
  EXPECT_EQ(w.from, kStart + 60) << "the nearest point, the earlier of two";
  EXPECT_EQ(w.to, kStart + 125) << "not 120: the newest is there though it is not kept";
  EXPECT_EQ(w.change("c_total"), 325);
  EXPECT_EQ(w.value("c_total"), 625);
  EXPECT_EQ(w.value("g"), 125 % 7);
  // Points 70, 80, ..., 120 and 125: 0 3 6 2 5 1 6.
  EXPECT_EQ(w.find("g")[0]->least, 0);
  EXPECT_EQ(w.find("g")[0]->most, 6);
}

TEST(History, OnePointOrAReversedRangeIsNoWindow) {
  History history({});
  fill(history, 0, 0);
  EXPECT_TRUE(history.window(kStart - 100, kStart + 100).series.empty());
  fill(history, 1, 60);
  EXPECT_TRUE(history.window(kStart + 60, kStart).series.empty());
  EXPECT_TRUE(history.window(kStart + 21, kStart + 22).series.empty()) << "one point is nearest";
  EXPECT_TRUE(history.window(std::nan(""), kStart).series.empty());
  EXPECT_EQ(history.window(0, 1e12).seconds(), 60) << "what there is";
}

TEST(History, FilteredWindowHasOnlyWhatWasAskedFor) {
  History history({});
  fill(history, 0, 60);
  const Window w = history.window(
      0, 1e12, [](const std::string& name, const analysis::Labels&) { return name == "g"; });
  ASSERT_EQ(w.series.size(), 1U);
  EXPECT_EQ(w.series[0].name, "g");
}

TEST(History, ARestartBeginsAtZero) {
  History history({.resolution = 1});
  const double values[] = {100, 150, 20, 30, 5};  // grows 50, restarts, 20 + 10, restarts, 5
  for (int i = 0; i < 5; i++) history.add(kStart + i, {counter("c_total", values[i])});
  EXPECT_EQ(history.window(kStart, kStart + 4).change("c_total"), 85);
  EXPECT_EQ(history.window(kStart + 1, kStart + 3).change("c_total"), 30);
}

TEST(History, AHistogramThatBeginsAnewLosesNothing) {
  History history({.resolution = 1});
  auto h = after({}, {1'000, 2'000});
  history.add(kStart, {histogram("h", h)});
  h = after(h, {4'000});
  history.add(kStart + 1, {histogram("h", h)});
  h = after({}, {500, 600});  // restarted
  history.add(kStart + 2, {histogram("h", h)});
  h = after(h, {9'000});
  history.add(kStart + 3, {histogram("h", h)});
  const auto all = history.window(kStart, kStart + 3).histogram("h");
  EXPECT_EQ(all.count(), 4U);
  EXPECT_EQ(all.sum_ns, 4'000U + 500 + 600 + 9'000);
  EXPECT_EQ(all.min_ns, 500U);
  EXPECT_EQ(all.max_ns, 9'000U);
}

TEST(History, ExtremesAreThoseOfTheWindowThoughEachDrainHasItsOwn) {
  History history({.resolution = 10});
  analysis::Histogram h;
  for (int s = 0; s <= 60; s++) {
    // One slow value inside a step that is replaced by later drains: 777 us at 13 s, 333 at 45 s.
    const std::uint64_t ns = s == 13   ? 777'777
                             : s == 45 ? 333'333
                                       : 1'000 + static_cast<std::uint64_t>(s);
    h = after(h, {ns});
    history.add(kStart + s, {histogram("h", h)});
  }
  const auto early = history.window(kStart, kStart + 30).histogram("h");
  EXPECT_EQ(early.count(), 30U);
  EXPECT_EQ(early.max_ns, 777'777U);
  EXPECT_EQ(early.min_ns, 1'001U);
  const auto late = history.window(kStart + 30, kStart + 60).histogram("h");
  EXPECT_EQ(late.max_ns, 333'333U);
  EXPECT_EQ(late.min_ns, 1'031U);
  EXPECT_EQ(
      late.sum_ns, h.sum_ns - [&] {
        std::uint64_t sum = 777'777;
        for (std::uint64_t s = 0; s <= 30; s++) sum += s == 13 ? 0 : 1'000 + s;
        return sum;
      }());
}

TEST(History, ExtremesThatNobodyToldAreBoundedByTheBuckets) {
  History history({.resolution = 1});
  analysis::Histogram h;
  h.record(1'000'000);
  history.add(kStart, {histogram("h", h)});
  h.record(2'000);  // cumulative extremes: the maximum of the window is not that of all time
  history.add(kStart + 1, {histogram("h", h)});
  const auto w = history.window(kStart, kStart + 1).histogram("h");
  EXPECT_EQ(w.count(), 1U);
  EXPECT_GE(w.max_ns, 2'000U);
  EXPECT_LT(w.max_ns, 2'200U);
  EXPECT_EQ(w.min_ns, 2'000U);
}

TEST(History, SeriesThatComeAndGo) {
  History history({.resolution = 1});
  const Labels a{{"k", "a"}};
  const Labels b{{"k", "b"}};
  history.add(kStart, {counter("c_total", 10, a), gauge("g", 1, a)});
  history.add(kStart + 1, {counter("c_total", 12, a), gauge("g", 2, a), counter("c_total", 7, b)});
  history.add(kStart + 2, {counter("c_total", 9, b)});
  history.add(kStart + 3, {counter("c_total", 9, b)});
  Window w = history.window(kStart, kStart + 3);
  EXPECT_EQ(w.change("c_total", b), 9) << "appeared inside: began at 0";
  EXPECT_EQ(w.change("c_total", a), 2) << "what it did before it went";
  EXPECT_FALSE(w.value("g").has_value()) << "a gauge that is gone has no value";
  EXPECT_TRUE(history.window(kStart + 2, kStart + 3).find("c_total", a).empty());
  history.add(kStart + 4, {counter("c_total", 15, a), counter("c_total", 9, b)});
  EXPECT_EQ(history.window(kStart + 2, kStart + 4).change("c_total", a), 3)
      << "came back with its count: goes on from there";
  EXPECT_EQ(history.window(kStart, kStart + 4).change("c_total", a), 5);
}

TEST(History, AClockSetBackMovesWhatWasBefore) {
  History history({.resolution = 10});
  fill(history, 0, 100);
  fill(history, 101, 200, kStart - 3600);
  EXPECT_EQ(history.newest(), kStart - 3600 + 200);
  EXPECT_EQ(history.oldest(), kStart - 3600) << "one interval of a second lay between them";
  const Window w = history.window(kStart - 3600 + 50, kStart - 3600 + 150);
  EXPECT_EQ(w.seconds(), 100);
  EXPECT_EQ(w.change("c_total"), 500);
}

TEST(History, WhatHasGoneIsForgottenThoughTheClockWasSetBack) {
  const auto bytes = [](double ahead) {
    History history({.resolution = 1, .length = 100});
    Families families{gauge("g", 1)};
    for (int i = 0; i < 200; i++) families.push_back(gauge("old", i, {{"k", std::to_string(i)}}));
    history.add(kStart + ahead, families);
    history.add(kStart + ahead + 1, {gauge("g", 1)});
    for (int s = 2; s <= 600; s++) history.add(kStart + s, {gauge("g", 1)});
    return history.bytes();
  };
  EXPECT_LT(bytes(1e6), 2 * bytes(0));
}

TEST(History, AClockSetForwardLeavesAGap) {
  History history({.resolution = 10, .length = 7200});
  fill(history, 0, 60);
  fill(history, 61, 120, kStart + 3600);
  EXPECT_EQ(history.window(kStart, kStart + 60).change("c_total"), 300);
  EXPECT_EQ(history.window(kStart, kStart + 3720).change("c_total"), 600);
}

TEST(History, TheSameTimeReplacesAndNonsenseIsLeftOut) {
  History history({.resolution = 1});
  history.add(kStart, {counter("c_total", 1)});
  history.add(kStart, {counter("c_total", 2)});
  history.add(std::nan(""), {counter("c_total", 50)});
  history.add(std::numeric_limits<double>::infinity(), {counter("c_total", 50)});
  history.add(-5, {counter("c_total", 50)});
  history.add(kStart + 1, {counter("c_total", 10)});
  const Window w = history.window(0, 1e12);
  EXPECT_EQ(w.change("c_total"), 8);
  EXPECT_EQ(w.seconds(), 1);
}

TEST(History, ExtremesOfAGaugeAreThoseOfItsNumbers) {
  History history({.resolution = 1});
  const double values[] = {1, std::nan(""), 5, 3, std::nan(""), 4};
  for (int s = 0; s < 6; s++) history.add(kStart + s, {gauge("g", values[s])});
  const Window w = history.window(kStart, kStart + 5);
  ASSERT_EQ(w.find("g").size(), 1U);
  EXPECT_EQ(w.find("g")[0]->least, 3);
  EXPECT_EQ(w.find("g")[0]->most, 5);
}

TEST(History, ACounterThatIsNoNumberForOncePoisonsNothing) {
  History history({.resolution = 1});
  const double values[] = {5, 7, std::nan(""), std::numeric_limits<double>::infinity(), 10, 11};
  for (int s = 0; s < 6; s++) history.add(kStart + s, {counter("c_total", values[s])});
  EXPECT_EQ(history.window(kStart, kStart + 5).change("c_total"), 6);
  EXPECT_EQ(history.window(kStart + 2, kStart + 5).change("c_total"), 4) << "since it was 7";
}

TEST(History, DuplicateSeriesCountOnce) {
  History history({.resolution = 1});
  history.add(kStart, {counter("c_total", 1), counter("c_total", 100)});
  history.add(kStart + 1, {counter("c_total", 3), counter("c_total", 100)});
  EXPECT_EQ(history.window(0, 1e12).series.size(), 1U);
}

TEST(History, OldPointsGoAndAWholeLengthStays) {
  History history({.resolution = 10, .length = 600});
  fill(history, 0, 5000);
  EXPECT_LE(history.oldest(), kStart + 4400);
  EXPECT_GE(history.oldest(), kStart + 4400 - 310) << "groups of 30 points go at once";
  EXPECT_EQ(history.window(kStart + 4400, kStart + 5000).change("c_total"), 3000);
  EXPECT_EQ(history.evicted(), 0U);
}

TEST(History, MemoryIsBoundedAndWhatWentIsCounted) {
  History history({.resolution = 10, .length = 36'000, .most_bytes = 20'000});
  std::mt19937_64 random(1);
  for (int s = 0; s <= 36'000; s += 10) {
    Families families;
    for (int i = 0; i < 20; i++) {
      families.push_back(gauge("g", static_cast<double>(random()) / 3, {{"k", std::to_string(i)}}));
    }
    history.add(kStart + s, families);
    ASSERT_LE(history.bytes(), 20'000U);
  }
  EXPECT_GT(history.bytes(), 8'000U) << "the room is used";
  const double kept = (history.newest() - history.oldest()) / 10;
  EXPECT_GT(kept, 15);
  EXPECT_EQ(history.evicted(), 3600 - static_cast<std::uint64_t>(kept)) << "every point that went";
  const Window w = history.window(0, 1e12);
  EXPECT_EQ(w.series.size(), 20U);
}

TEST(History, AFamilyIsKnownForAsLongAsItIsKept) {
  History history({.resolution = 10, .length = 100});
  EXPECT_FALSE(history.family("c_total"));
  history.add(kStart, {counter("c_total", 1, {{"k", "a"}}), counter("c_total", 1, {{"k", "b"}}),
                       gauge("g", 1)});
  for (int s = 10; s <= 100; s += 10) history.add(kStart + s, {gauge("g", 1)});
  const auto family = history.family("c_total");
  ASSERT_TRUE(family);
  EXPECT_EQ(family->type, metrics::Type::counter);
  ASSERT_EQ(family->samples.size(), 2U);
  EXPECT_EQ(family->samples[1].labels, (Labels{{"k", "b"}}));
  EXPECT_FALSE(history.family("c"));
  for (int s = 110; s <= 200; s += 10) history.add(kStart + s, {gauge("g", 1)});
  EXPECT_FALSE(history.family("c_total"));
  EXPECT_TRUE(history.family("g"));
}

TEST(History, WindowsEqualTheDifferenceOfWhatWasAdded) {
  // Random histograms with series that come late; any two points are compared with since().
  History history({.resolution = 10});
  std::mt19937_64 random(11);
  analysis::Histogram h;
  std::vector<analysis::Histogram> at_point;
  for (int s = 0; s <= 1500; s += 10) {
    for (std::uint64_t n = random() % 50; n > 0; n--) h.record(random() >> (16 + random() % 48));
    at_point.push_back(h);
    Families families{histogram("h", h)};
    if (s > 700) families.insert(families.begin(), gauge("late", s));
    history.add(kStart + s, families);
  }
  for (int i = 0; i < 100; i++) {
    const std::size_t a = random() % at_point.size();
    const std::size_t b = random() % at_point.size();
    if (a >= b) continue;
    const auto got =
        history
            .window(kStart + 10.0 * static_cast<double>(a), kStart + 10.0 * static_cast<double>(b))
            .histogram("h");
    const auto want = at_point[b].since(at_point[a]);
    ASSERT_EQ(got.buckets, want.buckets);
    ASSERT_EQ(got.sum_ns, want.sum_ns);
    ASSERT_EQ(got.overflow, want.overflow);
    ASSERT_EQ(got.zero, want.zero);
  }
}

TEST(History, IsReadWhileItIsWritten) {
  History history({.resolution = 1, .length = 60});
  std::atomic<bool> done = false;
  std::thread reader([&] {
    while (!done) {
      const double newest = history.newest();
      const Window w = history.window(newest - 30, newest);
      if (!w.series.empty()) {
        EXPECT_EQ(w.change("c_total"), 5 * w.seconds());
      }
      (void)history.trends({.name = "g", .labels = {}, .quantile = {}}, newest - 30, newest, 5);
    }
  });
  fill(history, 0, 20'000);
  done = true;
  reader.join();
}

// What a series costs for an hour, as the agent records it: every 10 s.
TEST(History, BytesOfASeriesHour) {
  const auto bytes_per_series = [](int series, auto families_at) {
    History history({.resolution = 10, .length = 3600});
    for (int s = 0; s <= 3600; s += 10) history.add(kStart + s, families_at(s, series));
    return static_cast<double>(history.bytes()) / series;
  };
  std::mt19937_64 random(2);
  const double idle = bytes_per_series(100, [](int, int n) {
    Families f;
    for (int i = 0; i < n; i++) f.push_back(gauge("g", i / 3.0, {{"target", std::to_string(i)}}));
    return f;
  });
  const double busy_counter = bytes_per_series(100, [](int s, int n) {
    Families f;
    for (int i = 0; i < n; i++)
      f.push_back(counter("c_total", 1000.0 * s + i, {{"target", std::to_string(i)}}));
    return f;
  });
  std::vector<analysis::Histogram> h(10);
  const double busy_histogram = bytes_per_series(10, [&](int, int n) {
    Families f;
    for (int i = 0; i < n; i++) {
      auto& one = h[static_cast<std::size_t>(i)];
      analysis::Histogram fresh;  // 1,000 values in 10 s, over two octaves and a tail
      for (int k = 0; k < 1000; k++) {
        fresh.record(50'000 + random() % 150'000 + (k % 100 == 0 ? random() % 2'000'000 : 0));
      }
      one.merge(fresh);
      one.min_ns = fresh.min_ns;
      one.max_ns = fresh.max_ns;
      f.push_back(histogram("h_seconds", one, {{"target", std::to_string(i)}}));
    }
    return f;
  });
  std::printf("bytes of a series for an hour: idle %.0f, busy counter %.0f, busy histogram %.0f\n",
              idle, busy_counter, busy_histogram);
  EXPECT_LT(idle, 1'500);
  EXPECT_LT(busy_counter, 2'000);
  EXPECT_LT(busy_histogram, 50'000);
}

}  // namespace
}  // namespace nz::history
