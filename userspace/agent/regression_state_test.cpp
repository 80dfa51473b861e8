#include "userspace/agent/regression_state.h"

#include <gtest/gtest.h>

namespace nz::agent {
namespace {

analysis::Regression regression() {
  analysis::Regression r;
  r.id = "x";
  r.of = {"nearzero_order_stage_duration_seconds",
          {{"target", "demo"}, {"stage", "risk"}},
          "p99",
          "seconds"};
  r.before = 1e-3;
  r.after = 2.5e-3;
  r.since = 1000;
  r.earliest = 990;
  r.latest = 1010;
  r.confidence = 0.999;
  r.moved = {{0.5, 1.1}, {0.99, 2.5}};
  r.events = {{995, "new_build", "demo", "a new build"}};
  r.state = analysis::FindingState::ongoing;
  return r;
}

TEST(RegressionState, ComesBackAsItWas) {
  const std::string saved = save_regressions({regression()});
  const auto restored = restore_regressions(saved);
  ASSERT_TRUE(restored) << restored.error().text();
  ASSERT_EQ(restored->size(), 1U);
  EXPECT_EQ(save_regressions(*restored), saved);
  EXPECT_EQ(restored->front().of.labels, regression().of.labels);
  EXPECT_EQ(restored->front().moved, regression().moved);
  EXPECT_EQ(restored->front().events.front().text, "a new build");
  EXPECT_EQ(restored->front().state, analysis::FindingState::ongoing);
}

TEST(RegressionState, AnythingElseIsAnError) {
  const std::string saved = save_regressions({regression()});
  for (std::size_t cut = 0; cut + 1 < saved.size(); cut++)
    EXPECT_FALSE(restore_regressions(std::string_view(saved).substr(0, cut))) << cut;
  for (const char* bad : {"null", "[]", "{\"version\":2,\"regressions\":[]}",
                          "{\"version\":1,\"regressions\":[{}]}", "{\"version\":1}"})
    EXPECT_FALSE(restore_regressions(bad)) << bad;
}

}  // namespace
}  // namespace nz::agent
