// Rules of disks and file systems: what each says, and where it holds back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/bottlenecks/scene.h"

namespace nz::analysis::test {
namespace {

using ::testing::HasSubstr;

TEST(SlowSync, MoreSyncsAreToldApartFromSlowerOnes) {
  Scene s;
  s.us["persist"]["disk"] = 1'500;
  s.waits["sync"] = {1'500, 1};  // as long as before, but for each order
  const auto found = find(s);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_THAT(found[0].title, HasSubstr("more syncs"));
  EXPECT_THAT(found[0].recommendation, HasSubstr("PRAGMA synchronous"));
}

// 30 orders a second, each with a sync and a wait for another writer.
std::vector<Finding> found_with(double sync_us, double busy_us) {
  Scene s, healthy;
  s.rate = healthy.rate = 30;
  s.us["persist"]["disk"] = sync_us;
  s.us["persist"]["sleep"] = busy_us;
  s.waits["sync"] = {sync_us, 1};
  s.waits["busy"] = {busy_us, 1};
  return find(s, healthy);
}

TEST(SlowSync, OtherWritersWaitingForTheSyncAreItsEffect) {
  const auto found = found_with(20'000, 15'000);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_EQ(found[0].kind, "slow_sync");
  EXPECT_NEAR(found[0].impact, 34'986 / (281.0 + 34'986), 0.01);
}

TEST(SlowSync, AWriterThatWaitsMuchLongerHasAnotherCause) {
  const auto found = found_with(8'000, 30'000);
  ASSERT_EQ(found.size(), 2U) << told(found);
  EXPECT_EQ(found[0].kind, "sqlite_writer_contention");
  EXPECT_EQ(found[1].kind, "slow_sync");
}

TEST(SlowSync, AThrottleOutsideTheDiskIsNotTheDisk) {
  Scene s, healthy;
  s.us["persist"]["disk"] = 20'000;
  s.waits["sync"] = {20'000, 1};
  for (Scene* x : {&s, &healthy}) {
    x->histogram("nearzero_block_io_duration_seconds", {{"device", "vda"}, {"op", "write"}}, 100,
                 4e-4);
  }
  s.counter("nearzero_disk_busy_seconds_total", {{"device", "vda"}}, 0.95);
  s.counter("nearzero_disk_queue_seconds_total", {{"device", "vda"}}, 4);
  const auto found = find(s, healthy);
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found[0].kind, "slow_sync") << told(found);
}

TEST(DiskSaturation, IsToldWithoutImpact) {
  Scene s;
  s.counter("nearzero_disk_busy_seconds_total", {{"device", "vda"}}, 0.99);
  s.counter("nearzero_disk_queue_seconds_total", {{"device", "vda"}}, 30);
  const auto found = find(s);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_EQ(found[0].kind, "disk_saturation");
  EXPECT_EQ(found[0].impact, 0);
  EXPECT_EQ(found[0].severity, Severity::info);
}

struct Full {
  double used;
  int found;
  Severity severity;
};
class FilesystemFull : public ::testing::TestWithParam<Full> {};
TEST_P(FilesystemFull, IsToldByShare) {
  Scene s;
  const auto labels = [](const char* kind) {
    return Labels{{"mount", "/data"}, {"device", "/dev/vdb"}, {"kind", kind}};
  };
  s.gauge("nearzero_filesystem_bytes", labels("size"), 1e9);
  s.gauge("nearzero_filesystem_bytes", labels("available"), 1e9 * (1 - GetParam().used));
  const auto found = find(s);
  ASSERT_EQ(found.size(), GetParam().found) << told(found);
  if (found.empty()) return;
  EXPECT_EQ(found[0].severity, GetParam().severity);
  EXPECT_EQ(found[0].id, "filesystem_full/demo/host filesystem /data");
}
INSTANTIATE_TEST_SUITE_P(Shares, FilesystemFull,
                         ::testing::Values(Full{0.90, 0, Severity::info},
                                           Full{0.94, 0, Severity::info},
                                           Full{0.96, 1, Severity::warning},
                                           Full{0.995, 1, Severity::critical}));

TEST(FilesystemFull, TellsOfTheFullestOne) {
  Scene s;
  const auto add = [&](const char* family, const char* mount, double used) {
    const auto labels = [&](const char* kind) {
      return Labels{{"mount", mount}, {"device", mount}, {"kind", kind}};
    };
    s.gauge(family, labels("size"), 1e9);
    s.gauge(family, labels("available"), 1e9 * (1 - used));
  };
  add("nearzero_filesystem_bytes", "/", 0.955);
  add("nearzero_filesystem_bytes", "/data", 0.995);
  add("nearzero_filesystem_inodes", "/", 0.97);
  const auto found = find(s);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_EQ(found[0].id, "filesystem_full/demo/host filesystem /data");
  EXPECT_EQ(found[0].severity, Severity::critical);
}

}  // namespace
}  // namespace nz::analysis::test
