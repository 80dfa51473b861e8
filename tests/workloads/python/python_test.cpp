#include <gtest/gtest.h>

#include "tests/workloads/common/run_program.h"

namespace {

TEST(SqliteOrders, CountsEachStatement) {
  const auto r = nz::workload::report_of("/usr/bin/python3 " NZ_WORKLOAD_SOURCE_DIR
                                         "/python/sqlite_orders.py --count 50");
  EXPECT_EQ(r["inserts"], 50);
  EXPECT_EQ(r["selects"], 50);
  EXPECT_EQ(r["rows"], 50);
  EXPECT_EQ(r["statements"], 100);
}

}  // namespace
