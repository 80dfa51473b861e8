#include "userspace/metrics/unit.h"

#include <gtest/gtest.h>

namespace nz::metrics {
namespace {

TEST(Unit, IsTheEndOfTheName) {
  EXPECT_EQ(unit("nearzero_order_stage_duration_seconds"), "seconds");
  EXPECT_EQ(unit("nearzero_disk_bytes_total"), "bytes");
  EXPECT_EQ(unit("nearzero_probe_duty_ratio"), "ratio");
  EXPECT_EQ(unit("nearzero_target_cpu_quota_cores"), "cores");
  EXPECT_EQ(unit("nearzero_target_threads"), "");
  EXPECT_EQ(unit("nearzero_sqlite_rows_total"), "");
}

TEST(Unit, OfARate) {
  EXPECT_EQ(rate_unit("nearzero_disk_bytes_total", Type::counter), "bytes per second");
  EXPECT_EQ(rate_unit("nearzero_host_cpu_seconds_total", Type::counter), "seconds per second");
  EXPECT_EQ(rate_unit("nearzero_sqlite_rows_total", Type::counter), "per second");
  EXPECT_EQ(rate_unit("nearzero_runqueue_latency_seconds", Type::histogram), "per second");
}

}  // namespace
}  // namespace nz::metrics
