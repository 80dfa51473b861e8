#include "userspace/agent/ended_alerts.h"

#include <gtest/gtest.h>

namespace nz::agent {
namespace {

TEST(EndedAlerts, SurviveARestart) {
  EndedAlerts before, after;
  before.add({"DiskFull", "critical", "demo", "98 % \"of\" /var\xff", 100.5, 200});
  ASSERT_TRUE(after.restore(before.save()));
  ASSERT_EQ(after.all().size(), 1U);
  const report::Alert& a = after.all().front();
  EXPECT_EQ(a.rule, "DiskFull");
  EXPECT_EQ(a.severity, "critical");
  EXPECT_EQ(a.target, "demo");
  EXPECT_EQ(a.text.substr(0, 13), "98 % \"of\" /va");
  EXPECT_EQ(a.since, 100.5);
  EXPECT_EQ(a.until, 200);
}

TEST(EndedAlerts, TheNewestStay) {
  EndedAlerts ended;
  for (std::size_t i = 0; i < EndedAlerts::kMost + 5; i++)
    ended.add({"R", "info", "", "", static_cast<double>(i), 0});
  EXPECT_EQ(ended.all().size(), EndedAlerts::kMost);
  EXPECT_EQ(ended.all().front().since, 5);
}

TEST(EndedAlerts, WhatIsNoListChangesNothing) {
  EndedAlerts ended;
  ended.add({"R", "info", "", "", 1, 2});
  for (const char* bad :
       {"", "[]", "{}", "{\"version\":2,\"alerts\":[]}", "{\"version\":1,\"alerts\":[{}]}",
        "{\"version\":1,\"alerts\":[7]}", "{\"version\":1}"})
    EXPECT_FALSE(ended.restore(bad)) << bad;
  EXPECT_EQ(ended.all().size(), 1U);
}

}  // namespace
}  // namespace nz::agent
