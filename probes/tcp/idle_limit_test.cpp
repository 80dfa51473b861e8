#include "probes/tcp/idle_limit.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "probes/profile/ticks.h"

namespace nz::probes::tcp {
namespace {

using std::chrono::seconds;

const IdleLimit::Clock::time_point kFirstLook{seconds(1000)};
uint32_t fake_online_cpus = 0;

TEST(IdleLimit, IsForEachCpuThatIsOnlineNow) {
  fake_online_cpus = 2;
  IdleLimit limit([] { return fake_online_cpus; });
  EXPECT_FALSE(limit.exceeded(kFirstLook, 1'000'000)) << "of how long, nobody knows";
  EXPECT_FALSE(limit.exceeded(kFirstLook + seconds(1), 1'050'000));
  EXPECT_TRUE(limit.exceeded(kFirstLook + seconds(2), 1'100'001));
  EXPECT_FALSE(limit.exceeded(kFirstLook + seconds(4), 1'200'001)) << "in two seconds";
  fake_online_cpus = 3;
  EXPECT_FALSE(limit.exceeded(kFirstLook + seconds(5), 1'275'001));
  fake_online_cpus = 1;
  EXPECT_TRUE(limit.exceeded(kFirstLook + seconds(6), 1'300'002));
}

TEST(IdleLimit, ACountThatWentBackIsNoCalls) {
  fake_online_cpus = 1;
  IdleLimit limit([] { return fake_online_cpus; });
  EXPECT_FALSE(limit.exceeded(kFirstLook, 10));
  EXPECT_FALSE(limit.exceeded(kFirstLook + seconds(1), 9));
}

TEST(IdleLimit, WhatWasBeforeALookIsNotAsked) {
  fake_online_cpus = 1;
  IdleLimit limit([] { return fake_online_cpus; });
  EXPECT_FALSE(limit.exceeded(kFirstLook, 0));
  limit.look(kFirstLook + seconds(1), 1'000'000);
  EXPECT_FALSE(limit.exceeded(kFirstLook + seconds(2), 1'025'000));
}

// Where no CPU is offline, possible ones are as many: this tells them apart elsewhere.
TEST(IdleLimit, CountsTheCpusThatTheKernelListsAsOnline) {
  std::ifstream file("/sys/devices/system/cpu/online");
  std::string text;
  std::getline(file, text);
  const auto online = profile::parse_cpus(text);
  if (online.empty()) GTEST_SKIP() << "no /sys";
  EXPECT_EQ(count_online_cpus(), online.size());
  IdleLimit limit;
  const uint64_t most = uint64_t{IdleLimit::kPerCpu} * online.size();
  EXPECT_FALSE(limit.exceeded(kFirstLook, 0));
  EXPECT_FALSE(limit.exceeded(kFirstLook + seconds(1), most));
  EXPECT_TRUE(limit.exceeded(kFirstLook + seconds(2), 2 * most + 1));
}

}  // namespace
}  // namespace nz::probes::tcp
