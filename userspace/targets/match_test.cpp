// Which process fits which conditions.
#include "userspace/targets/match.h"

#include <gtest/gtest.h>

namespace nz::targets {
namespace {

Process gateway() {
  Process p;
  p.pid = 4242;
  p.start_time = 100;
  p.comm = "gateway";
  p.exe = "/opt/trading/bin/gateway-1.4";
  p.cmdline = "/opt/trading/bin/gateway-1.4 --role=primary --port 9000";
  p.cgroups = {"/", "/system.slice/gateway.service", "/user.slice"};
  return p;
}

config::Match with(void (*set)(config::Match&)) {
  config::Match m;
  set(m);
  return m;
}

TEST(Match, NothingAskedMatchesNothing) { EXPECT_FALSE(matches({}, gateway())); }

TEST(Match, KernelThreadsNeverMatch) {
  Process kthread = gateway();
  kthread.exe.clear();
  EXPECT_FALSE(matches(with([](config::Match& m) { m.comm = "*"; }), kthread));
  EXPECT_FALSE(matches(with([](config::Match& m) { m.pid = 4242; }), kthread));
}

TEST(Match, ByPid) {
  EXPECT_TRUE(matches(with([](config::Match& m) { m.pid = 4242; }), gateway()));
  EXPECT_FALSE(matches(with([](config::Match& m) { m.pid = 4243; }), gateway()));
}

TEST(Match, ByCommandIsAGlobOnTheWholeName) {
  EXPECT_TRUE(matches(with([](config::Match& m) { m.comm = "gateway"; }), gateway()));
  EXPECT_TRUE(matches(with([](config::Match& m) { m.comm = "gate*"; }), gateway()));
  EXPECT_TRUE(matches(with([](config::Match& m) { m.comm = "g?te[v-x]ay"; }), gateway()));
  EXPECT_FALSE(matches(with([](config::Match& m) { m.comm = "gate"; }), gateway()));
  EXPECT_FALSE(matches(with([](config::Match& m) { m.comm = "Gateway"; }), gateway()));
}

TEST(Match, ByExecutableOnThePathOrItsLastComponent) {
  EXPECT_TRUE(
      matches(with([](config::Match& m) { m.exe = "/opt/trading/bin/gateway-1.4"; }), gateway()));
  EXPECT_TRUE(matches(with([](config::Match& m) { m.exe = "/opt/*/gateway-*"; }), gateway()));
  EXPECT_TRUE(matches(with([](config::Match& m) { m.exe = "gateway-*"; }), gateway()));
  EXPECT_FALSE(matches(with([](config::Match& m) { m.exe = "gateway"; }), gateway()));
  // With a slash it is a path: the last component alone is not enough.
  EXPECT_FALSE(matches(with([](config::Match& m) { m.exe = "bin/gateway-1.4"; }), gateway()));
}

TEST(Match, ByCommandLineIsAPartOrAGlob) {
  EXPECT_TRUE(matches(with([](config::Match& m) { m.cmdline = "--role=primary"; }), gateway()));
  EXPECT_TRUE(matches(with([](config::Match& m) { m.cmdline = "*--port 9???"; }), gateway()));
  EXPECT_FALSE(matches(with([](config::Match& m) { m.cmdline = "--role=standby"; }), gateway()));
}

TEST(Match, ByCgroupIsAPrefixOfWholeComponentsOrAGlob) {
  EXPECT_TRUE(matches(with([](config::Match& m) { m.cgroup = "/system.slice/gateway.service"; }),
                      gateway()));
  EXPECT_TRUE(matches(with([](config::Match& m) { m.cgroup = "/system.slice"; }), gateway()));
  EXPECT_TRUE(matches(with([](config::Match& m) { m.cgroup = "/system.slice/"; }), gateway()));
  EXPECT_TRUE(matches(with([](config::Match& m) { m.cgroup = "/system.slice/gate*"; }), gateway()));
  EXPECT_FALSE(matches(with([](config::Match& m) { m.cgroup = "/system.slice/gate"; }), gateway()));
  EXPECT_FALSE(matches(with([](config::Match& m) { m.cgroup = "/system"; }), gateway()));
  EXPECT_FALSE(matches(with([](config::Match& m) { m.cgroup = "/kubepods"; }), gateway()));
}

TEST(Match, AllConditionsMustHold) {
  const auto both = with([](config::Match& m) {
    m.comm = "gateway";
    m.cmdline = "--role=primary";
  });
  EXPECT_TRUE(matches(both, gateway()));
  Process standby = gateway();
  standby.cmdline = "gateway --role=standby";
  EXPECT_FALSE(matches(both, standby));
}

}  // namespace
}  // namespace nz::targets
