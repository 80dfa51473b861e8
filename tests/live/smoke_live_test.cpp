// The agent starts, answers, and leaves nothing behind.
#include <gtest/gtest.h>

#include "tests/live/harness/agent.h"

namespace nz::live {
namespace {

TEST(Smoke, StartsAnswersAndLeavesNothing) {
  Agent agent("");
  // Nothing may have been scheduled yet when the first drain is read: the next one has it.
  EXPECT_TRUE(eventually(
      [&] {
        int status = 0;
        const std::string metrics = agent.get("/metrics", &status);
        EXPECT_EQ(status, 200);
        return metrics.find("nearzero_runqueue_latency_seconds_bucket{target=\"host\"") !=
               std::string::npos;
      },
      5));
  EXPECT_TRUE(anything_loaded());
  EXPECT_EQ(agent.stop(), 0);
  // The kernel frees maps and programs behind an RCU grace period.
  EXPECT_TRUE(eventually([] { return !anything_loaded(); }, 2));
}

}  // namespace
}  // namespace nz::live
