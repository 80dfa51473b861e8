// Rules of memory: what each says, and where it holds back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/bottlenecks/scene.h"

namespace nz::analysis::test {
namespace {

using ::testing::HasSubstr;

TEST(MemoryPressure, OneSignIsNotEnough) {
  Scene s;
  s.counter("nearzero_target_page_faults_total", {{"target", "demo"}, {"kind", "major"}}, 500);
  EXPECT_TRUE(find(s).empty()) << told(find(s));
}

TEST(MemoryPressure, AnOomKillIsCritical) {
  Scene s;
  s.counter("nearzero_host_vm_events_total", {{"event", "oom_kill"}}, 0.1);
  const auto found = find(s);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].kind, "memory_pressure");
  EXPECT_EQ(found[0].severity, Severity::critical);
}

TEST(MemoryPressure, AnOomKillOfTheTargetIsItsOwn) {
  Scene s;
  s.counter("nearzero_oom_kills_total", {{"target", "demo"}}, 0.1);
  const auto found = find(s);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_EQ(found[0].where, "memory of demo");
  EXPECT_EQ(found[0].severity, Severity::critical);
  EXPECT_THAT(told(found), ::testing::HasSubstr("has killed a process of demo"));
}

TEST(MemoryPressure, SwappingExplainsTheSaturatedDisk) {
  Scene s, healthy;
  s.us["risk"]["page_fault"] = 2'000;
  s.us["persist"]["disk"] = 700;
  s.waits["sync"] = {80'000, 0.008};
  s.counter("nearzero_host_vm_events_total", {{"event", "pswpin"}}, 5'000);
  s.counter("nearzero_host_vm_events_total", {{"event", "pswpout"}}, 5'000);
  s.counter("nearzero_pressure_seconds_total",
            {{"scope", "host"}, {"resource", "memory"}, {"kind", "some"}}, 0.5);
  s.counter("nearzero_disk_busy_seconds_total", {{"device", "vda"}}, 0.99);
  s.counter("nearzero_disk_queue_seconds_total", {{"device", "vda"}}, 20);
  s.counter("nearzero_disk_bytes_total", {{"device", "vda"}, {"op", "write"}}, 45e6);
  const auto found = find(s, healthy);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_EQ(found[0].kind, "memory_pressure");
}

// Run 38 of the fault matrix of 2026-11-28: what the kernel does for each page is no code of the
// service.
TEST(MemoryPressure, ExplainsTheKernelTimeOfPagesThatComeBack) {
  Scene s, healthy;
  healthy.rate = s.rate = 276;
  healthy.own_kernel = 0.07;
  healthy.us = {{"signal", {{"running", 120}}}, {"risk", {{"running", 372}, {"runnable", 51}}}};
  healthy.us["risk"]["page_fault"] = 7;
  s.own_kernel = 0.17;
  s.us = {{"signal", {{"running", 200}}},
          {"risk", {{"running", 670}, {"runnable", 182}, {"page_fault", 208}}}};
  s.counter("nearzero_target_page_faults_total", {{"target", "demo"}, {"kind", "major"}}, 1'142);
  s.histogram("nearzero_reclaim_stall_seconds", {{"target", "demo"}, {"kind", "cgroup"}}, 4.35,
              3e-5);
  s.gauge("nearzero_host_memory_bytes", {{"kind", "total"}}, 1e9);
  s.gauge("nearzero_host_memory_bytes", {{"kind", "available"}}, 4e6);
  const auto found = find(s, healthy);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_EQ(found[0].kind, "memory_pressure");
  EXPECT_NEAR(found[0].impact, (201 + 362) / 1260.0, 0.03);
}

TEST(MemoryPressure, OfTheCgroupPointsToItsLimit) {
  Scene s;
  s.us["risk"]["page_fault"] = 500;
  s.counter("nearzero_pressure_seconds_total",
            {{"scope", "demo"}, {"resource", "memory"}, {"kind", "some"}}, 0.3);
  s.histogram("nearzero_reclaim_stall_seconds", {{"target", "demo"}}, 50, 2e-3);
  const auto found = find(s);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_EQ(found[0].where, "memory of demo");
  EXPECT_THAT(found[0].recommendation, HasSubstr("MemoryMax="));
}

TEST(MemoryPressure, ShowsOnAFastDiskByHowOftenTheServiceReclaims) {
  Scene s;
  s.us["risk"]["page_fault"] = 110;
  s.counter("nearzero_target_page_faults_total", {{"target", "demo"}, {"kind", "major"}}, 1'500);
  s.histogram("nearzero_reclaim_stall_seconds", {{"target", "demo"}, {"kind", "cgroup"}}, 50, 3e-5);
  const auto found = find(s);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_EQ(found[0].kind, "memory_pressure");
  EXPECT_EQ(found[0].where, "memory of demo");
}

TEST(PageFaults, ANeighboursStormIsNamedInPlaceOfTheNeighbour) {
  Scene s;
  s.us["signal"]["runnable"] = 400;
  s.others = 1.9;
  s.others_kernel = 1.5;
  s.counter("nearzero_host_vm_events_total", {{"event", "pgfault"}}, 700'000);
  const auto found = find(s);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_EQ(found[0].kind, "page_faults");
  EXPECT_EQ(found[0].where, "host memory");
}

TEST(PageFaults, AForkStormsFaultsAreItsOwn) {
  Scene s;
  s.us["signal"]["runnable"] = 400;
  s.others = 1.9;
  s.others_kernel = 1.5;
  s.forks = 3'000;
  s.counter("nearzero_host_vm_events_total", {{"event", "pgfault"}}, 700'000);
  const auto found = find(s);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_EQ(found[0].kind, "fork_storm");
}

}  // namespace
}  // namespace nz::analysis::test
