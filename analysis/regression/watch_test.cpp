#include "analysis/regression/watch.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "analysis/regression/test_slices.h"

namespace nz::analysis {
namespace {

constexpr double kBegin = MadeSlices::kStart;

Quantity quantity(const char* statistic) {
  return {"nearzero_order_stage_duration_seconds", {{"target", "demo"}}, statistic, "seconds"};
}

// A day's worth of slices fed as the agent would: p50 and p99 each 10 s, a look after each.
struct Feed {
  explicit Feed(std::vector<Slice> all) : slices(std::move(all)) {}

  void to(std::size_t end, std::span<const Event> events = {}) {
    for (; next < end; next++) {
      const Histogram& h = *slices[next].histogram;
      at = slices[next].to;
      watch.add(quantity("p50"), at, h.quantile_interpolated(0.5));
      watch.add(quantity("p99"), at, h.quantile_interpolated(0.99));
      const auto changes = watch.look(
          at,
          [&](const Quantity&, double from, double until) {
            std::vector<Slice> part;
            for (const Slice& s : slices) {
              if (s.from >= from && s.to <= until) part.push_back(s);
            }
            return part;
          },
          events);
      for (const Regression& r : changes.opened) opened.push_back({at, r});
      for (const Regression& r : changes.resolved) resolved.push_back({at, r});
    }
  }

  std::vector<Slice> slices;
  RegressionWatch watch;
  std::size_t next = 0;
  double at = 0;
  std::vector<std::pair<double, Regression>> opened, resolved;
};

TEST(RegressionWatch, ASlowStageIsToldWithinTwoMinutesAndEndsAfterTheCure) {
  MadeSlices made(1);
  const double since = kBegin + 5000, cure = kBegin + 8000;
  Feed run(made.make(1000, 300,
                     [=](double at, double v) { return at >= since && at < cure ? 1.6 * v : v; }));
  const std::vector<Event> events{{since - 5, "new_build", "demo", "build 12ab"}};
  run.to(1000, events);
  ASSERT_EQ(run.opened.size(), 1U);
  EXPECT_LE(run.opened[0].first - since, 120);
  const Regression& r = run.opened[0].second;
  EXPECT_NEAR(r.since, since, 15);
  EXPECT_TRUE(r.worse);
  EXPECT_GE(r.moved.size(), 2U);
  ASSERT_EQ(r.events.size(), 1U);
  EXPECT_EQ(r.events[0].kind, "new_build");
  ASSERT_EQ(run.resolved.size(), 1U);
  EXPECT_NEAR(run.resolved[0].second.until, cure, 60);
  EXPECT_LE(run.resolved[0].first - cure, 180);
}

TEST(RegressionWatch, NoiseAndSpikesAreNone) {
  MadeSlices made(2, 0.1, 0.3);
  Feed run(made.make(2000, 200, [](double at, double v) {
    return std::fmod(at - kBegin, 4000) < 30 ? 4 * v : v;
  }));
  run.to(2000);
  EXPECT_LE(run.opened.size(), 1U);
}

TEST(RegressionWatch, NumbersWithoutHistograms) {
  RegressionWatch watch;
  std::mt19937_64 random(1);
  std::normal_distribution<double> noise(0, 1);
  const Quantity memory{"nearzero_process_memory_bytes", {{"target", "demo"}}, "value", "bytes"};
  std::vector<Regression> opened;
  for (int i = 0; i < 1000; i++) {
    const double at = kBegin + 10 * i;
    watch.add(memory, at, (i < 600 ? 100 : 150) + noise(random));
    for (const Regression& r : watch.look(at, {}, {}).opened) opened.push_back(r);
  }
  ASSERT_EQ(opened.size(), 1U);
  EXPECT_NEAR(opened[0].since, kBegin + 6000, 30);
  EXPECT_NEAR(opened[0].after / opened[0].before, 1.5, 0.05);
  EXPECT_LE(opened[0].earliest, opened[0].since);
  EXPECT_GE(opened[0].latest, opened[0].since);
}

// What its values do not bear out is tried anew for minutes.
TEST(RegressionWatch, WhatCannotBeDecidedKeepsNobodyWaiting) {
  RegressionWatch::Options options;
  options.judged_a_look = 1;
  RegressionWatch watch(options);
  MadeSlices made(3);
  const double since = kBegin + 600;
  const auto slow =
      made.make(100, 300, [=](double at, double v) { return at >= since ? 2 * v : v; });
  const auto same = made.make(100, 300, MadeSlices::unchanged);
  const auto history = [&](const Quantity& of, double from, double to) {
    std::vector<Slice> part;
    for (const Slice& s : of.name == "a_seconds" ? same : slow) {
      if (s.from >= from && s.to <= to) part.push_back(s);
    }
    return part;
  };
  double told = 0;
  for (const Slice& s : slow) {
    const double value = s.histogram->quantile_interpolated(0.5);
    for (const char* name : {"a_seconds", "b_seconds"})
      watch.add({name, {}, "p50", "seconds"}, s.to, value);
    for (const Regression& r : watch.look(s.to, history, {}).opened) {
      EXPECT_EQ(r.of.name, "b_seconds");
      if (told == 0) told = s.to;
    }
  }
  EXPECT_GE(told, since);
  EXPECT_LE(told - since, 120);
}

// Orders come less often, and half a minute later the stage takes longer.
TEST(RegressionWatch, ARateHidesNoLatency) {
  RegressionWatch watch;
  MadeSlices made(4);
  const double since = kBegin + 1000;
  const auto slices =
      made.make(140, 300, [=](double at, double v) { return at >= since ? 2 * v : v; });
  const auto history = [&](const Quantity&, double from, double to) {
    std::vector<Slice> part;
    for (const Slice& s : slices) {
      if (s.from >= from && s.to <= to) part.push_back(s);
    }
    return part;
  };
  std::mt19937_64 random(1);
  std::normal_distribution<double> noise(0, 0.3);
  Quantity rate = quantity("rate");
  rate.unit = "per second";
  std::vector<std::string> told;
  for (const Slice& s : slices) {
    watch.add(quantity("p50"), s.to, s.histogram->quantile_interpolated(0.5));
    watch.add(rate, s.to, (s.from >= since - 30 ? 20 : 30) + noise(random));
    for (const Regression& r : watch.look(s.to, history, {}).opened)
      told.push_back(r.of.statistic + (r.worse ? " worse" : ""));
  }
  EXPECT_EQ(told, (std::vector<std::string>{"rate", "p50 worse"}));
}

TEST(RegressionWatch, IsBounded) {
  RegressionWatch::Options options;
  options.most_series = 10;
  RegressionWatch watch(options);
  for (int i = 0; i < 20; i++) watch.add({std::to_string(i), {}, "value", ""}, kBegin, 1);
  EXPECT_EQ(watch.series(), 10U);
  EXPECT_EQ(watch.dropped(), 10U);
  watch.look(kBegin + 2 * 86400, {}, {});
  EXPECT_EQ(watch.series(), 0U);
}

TEST(RegressionWatch, WorseIsAMatterOfTheQuantity) {
  EXPECT_TRUE(is_worse(quantity("p99"), true));
  EXPECT_FALSE(is_worse(quantity("p99"), false));
  EXPECT_FALSE(is_worse({"nearzero_orders_total", {}, "rate", "per second"}, false));
  EXPECT_TRUE(is_worse({"nearzero_drops_total", {}, "rate", "per second"}, true));
}

}  // namespace
}  // namespace nz::analysis
