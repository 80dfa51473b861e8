#include <gtest/gtest.h>

#include "tests/workloads/common/run_program.h"

namespace {

TEST(OrderMatch, AnswersEveryOrder) {
  const auto r =
      nz::workload::report_of("./nz-fix-client --server ./nz-ordermatch --count 201 --rate 1000");
  EXPECT_EQ(r["sent"], 201);
  EXPECT_EQ(r["accepted"], 201);
  EXPECT_EQ(r["filled"], 200);
  EXPECT_EQ(r["rejected"], 0);
}

}  // namespace
