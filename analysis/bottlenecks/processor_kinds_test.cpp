// Rules of the processor: what each says, and where it holds back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/bottlenecks/scene.h"

namespace nz::analysis::test {
namespace {

using ::testing::HasSubstr;

TEST(CpuSaturation, BurstsOnCpusThatAreNotBusyNeedMore) {
  Scene s;
  s.us["signal"]["runnable"] = 60;  // 17 % of the order
  EXPECT_TRUE(find(s).empty()) << told(find(s));
  s.us["signal"]["runnable"] = 200;
  const auto found = find(s);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].kind, "cpu_saturation");
  EXPECT_EQ(found[0].where, "run queue");
}

TEST(CpuSaturation, WithoutHostMetricsItIsStillFound) {
  Scene s, healthy;
  s.us["signal"]["runnable"] = 400;
  s.host_metrics = healthy.host_metrics = false;
  const auto found = find(s, healthy);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_EQ(found[0].kind, "cpu_saturation");
}

TEST(CpuSaturation, AStatementThatTakesTheCpusIsTheCause) {
  Scene s;
  s.rate = 800;
  s.us["risk"]["running"] = 2'100;
  s.us["risk"]["runnable"] = 900;
  s.statements[0].mean_us = 1'992;
  Scene healthy;
  healthy.rate = 800;
  const auto found = find(s, healthy);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_EQ(found[0].kind, "slow_statement");
  const double order = 281 + 1'980 + 898;
  EXPECT_NEAR(found[0].impact, (1'980 + 898) / order, 0.01) << "the wait that it causes, too";
}

TEST(NoisyNeighbour, SlowsRunningCodeToo) {
  Scene s;
  s.us["signal"]["runnable"] = 300;
  for (const char* stage : {"signal", "risk", "persist"}) s.us[stage]["running"] *= 1.55;
  s.others = 1.8;
  const auto found = find(s);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_EQ(found[0].kind, "noisy_neighbour");
  EXPECT_NEAR(found[0].impact, (298 + 143) / (281.0 + 298 + 143), 0.01);
}

TEST(NoisyNeighbour, OnOneCpuThereIsNoOtherCore) {
  Scene s, healthy;
  s.cpus = healthy.cpus = 1;
  s.us["signal"]["runnable"] = 300;
  s.others = 0.9;
  const auto found = find(s, healthy);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].kind, "noisy_neighbour");
}

TEST(CpuQuota, SaysHowMuchWouldDo) {
  Scene s;
  s.us["signal"]["runnable"] = 900;
  s.counter("nearzero_target_throttled_seconds_total", {{"target", "demo"}}, 0.5);
  s.gauge("nearzero_target_cpu_quota_cores", {{"target", "demo"}}, 0.2);
  const auto found = find(s);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].kind, "cpu_quota");
  EXPECT_THAT(found[0].recommendation, HasSubstr("from 0.2 cores to 0.52 cores or more"));
}

TEST(CpuQuota, BesideANeighbourBothAreNamed) {
  Scene s;
  s.us["signal"]["runnable"] = 1'500;  // 0.45 s of waiting a second
  s.others = 1.9;
  s.counter("nearzero_target_throttled_seconds_total", {{"target", "demo"}}, 0.2);
  const auto found = find(s);
  ASSERT_EQ(found.size(), 2U) << told(found);
  EXPECT_NE(of_kind(found, "cpu_quota"), nullptr);
  EXPECT_NE(of_kind(found, "noisy_neighbour"), nullptr);
}

TEST(ForkStorm, ACompilersForksAreNotTheCause) {
  Scene s;
  s.us["signal"]["runnable"] = 300;
  s.others = 1.9;
  s.others_kernel = 0.3;
  s.forks = 250;
  const auto found = find(s);
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found[0].kind, "noisy_neighbour") << told(found);
}

TEST(ForkStorm, IsToldBeforeOrdersFeelIt) {
  Scene s;
  s.forks = 3'000;
  const auto found = find(s);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_EQ(found[0].kind, "fork_storm");
  EXPECT_EQ(found[0].severity, Severity::info);
}

TEST(OwnCode, NamesTheFunctionThatGrew) {
  Scene s;
  s.us["signal"]["running"] = 500;
  Details d;
  d.hot_functions = {{"demo", "malloc", "libc.so.6", 0.3, 0.3, 100},
                     {"demo", "demo::ewma", "nz-demo", 0.25, 0.05, 80},
                     {"other", "spin", "x", 0.9, 0, 80}};
  const auto found = find(s, Scene{}, d);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].where, "demo::ewma");
  EXPECT_THAT(found[0].title, HasSubstr("661 us in place of 261 us"));
  EXPECT_THAT(found[0].evidence.back().text, HasSubstr("25 % of the samples (before: 5 %)"));
  EXPECT_EQ(found[0].evidence.back().series,
            R"(nearzero_hot_function_samples_total{target="demo",function="demo::ewma"})");
}

TEST(OwnCode, OfTheKernelsFunctionsTheCallersAreLookedAt) {
  Scene s;
  s.us["signal"]["running"] = 500;
  Details d;
  d.hot_functions = {{"demo", "copy_page", "[kernel]", 0.5, 0.05, 80}};
  const auto found = find(s, Scene{}, d);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].where, "copy_page");
  EXPECT_THAT(found[0].recommendation, HasSubstr("format=folded&target=demo"));
}

TEST(OwnCode, WhatIsNotKnownOfBeforeNamesNoCulprit) {
  Scene s;
  s.us["signal"]["running"] = 500;
  Details d;
  d.hot_functions = {{"demo", "demo::ewma", "nz-demo", 0.9, std::nullopt, 80}};
  const auto found = find(s, Scene{}, d);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].where, "stage signal");
  EXPECT_THAT(found[0].evidence.back().text, HasSubstr("(before: unknown)"));
}

TEST(OwnCode, ANeighbourMayBeWhyUnlessAFunctionGrew) {
  Scene s;
  for (const char* stage : {"signal", "risk", "persist"}) s.us[stage]["running"] *= 1.58;
  s.others = 0.9;
  s.others_kernel = 0.1;
  const auto found = find(s);
  EXPECT_EQ(of_kind(found, "own_code"), nullptr) << told(found);
  Details d;
  d.hot_functions = {{"demo", "demo::ewma", "nz-demo", 0.4, 0.05, 80}};
  EXPECT_NE(of_kind(find(s, Scene{}, d), "own_code"), nullptr);
}

TEST(LockContention, PointsToTheStageAndTheLimitForStacks) {
  Scene s;
  s.us["risk"]["lock"] = 450;
  s.histogram("nearzero_offcpu_seconds", {{"target", "demo"}, {"reason", "lock"}}, 100, 1.5e-3);
  const auto found = find(s);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].title, "Orders wait for a lock in stage risk");
  EXPECT_THAT(found[0].recommendation, HasSubstr("nearzero trace futex -p PID --by detail"));
}

TEST(CpuSaturation, IsFeltBeforeTheFirstStageToo) {
  Scene s;
  s.others = 1.0;
  s.hog_cpu = 0;
  // 300 orders a second, each after 350 us in the run queue.
  s.histogram("nearzero_runqueue_latency_seconds", {{"target", "demo"}, {"after", "wakeup"}}, 300,
              350e-6);
  const auto found = find(s);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_EQ(found[0].kind, "cpu_saturation");
  EXPECT_NEAR(found[0].impact, 0.55, 0.03) << "350 us of 350 and 281";
  EXPECT_NEAR(found[0].impact_seconds, 350e-6, 20e-6);
}

TEST(CpuSaturation, OfAWaitAheadOnAnIdleHostNothingIsSaid) {
  Scene s;
  s.histogram("nearzero_runqueue_latency_seconds", {{"target", "demo"}, {"after", "wakeup"}}, 300,
              350e-6);
  const auto found = find(s);
  EXPECT_TRUE(found.empty()) << told(found);
}

TEST(CpuSaturation, IsWhatMakesSyncsSlowWhereTheirThreadsWaitForTheCpu) {
  Scene s, healthy;
  s.us["signal"]["runnable"] = 150;
  s.us["persist"]["disk"] = 200;
  s.waits["sync"] = {200, 0.03};
  healthy.waits["sync"] = {30, 0.03};
  s.others = 1.0;
  s.hog_cpu = 0;
  s.histogram("nearzero_runqueue_latency_seconds", {{"target", "host"}}, 500, 6e-3);
  healthy.histogram("nearzero_runqueue_latency_seconds", {{"target", "host"}}, 500, 2e-5);
  const auto found = find(s, healthy);
  ASSERT_FALSE(found.empty());
  for (const Finding& f : found) EXPECT_NE(f.kind, "slow_sync") << told(found);
}

}  // namespace
}  // namespace nz::analysis::test
