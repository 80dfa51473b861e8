// The agent starts, answers, and leaves nothing behind.
#include <gtest/gtest.h>

#include "tests/live/harness/agent.h"

namespace nz::live {
namespace {

TEST(Smoke, StartsAnswersAndLeavesNothing) {
  Agent agent("");
  int status = 0;
  const std::string metrics = agent.get("/metrics", &status);
  EXPECT_EQ(status, 200);
  EXPECT_NE(metrics.find("nearzero_runqueue_latency_seconds_bucket{target=\"host\""),
            std::string::npos);
  EXPECT_TRUE(anything_loaded());
  EXPECT_EQ(agent.stop(), 0);
  EXPECT_FALSE(anything_loaded());
}

}  // namespace
}  // namespace nz::live
