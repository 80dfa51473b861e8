#include "userspace/agent/finding_state.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace nz::agent {
namespace {

SavedFindings findings() {
  analysis::Finding f;
  f.id = "slow_sync/demo/sda";
  f.kind = "slow_sync";
  f.target = "demo";
  f.where = "sda";
  f.title = "syncs wait for sda";
  f.severity = analysis::Severity::critical;
  f.impact = 0.6;
  f.impact_seconds = 2e-3;
  f.confidence = 0.84;
  f.evidence = {{"nearzero_block_io_seconds", "p99: 4 ms", 4e-3, "seconds"}};
  f.recommendation = "another disk";
  f.since = 1000;
  f.from = 1100;
  f.to = 1115;
  analysis::Finding worst = f;
  worst.impact = 0.9;
  return {1115, 400, 1000, {{f, worst, 3, 1108}}};
}

TEST(FindingState, ComesBackAsItWas) {
  const std::string saved = save_findings(findings());
  const auto restored = restore_findings(saved);
  ASSERT_TRUE(restored) << restored.error().text();
  EXPECT_EQ(save_findings(*restored), saved);
  EXPECT_EQ(restored->seen, 1115);
  EXPECT_EQ(restored->reference_from, 400);
  ASSERT_EQ(restored->open.size(), 1U);
  const analysis::Finding& newest = restored->open[0].newest;
  EXPECT_EQ(newest.id, "slow_sync/demo/sda");
  EXPECT_EQ(newest.severity, analysis::Severity::critical);
  EXPECT_EQ(newest.since, 1000);
  ASSERT_EQ(newest.evidence.size(), 1U);
  EXPECT_EQ(newest.evidence[0].value, 4e-3);
  EXPECT_EQ(restored->open[0].worst.impact, 0.9);
  EXPECT_EQ(restored->open[0].missed, 3);
  EXPECT_EQ(restored->open[0].missed_since, 1108);
}

TEST(FindingState, AnAgentThatDidNotKeepWhatWasMissedIsUnderstood) {
  std::string saved = save_findings(findings());
  for (const std::string key : {"\"missed\":3,", "\"missed_since\":1108.0,"}) {
    ASSERT_NE(saved.find(key), std::string::npos) << key;
    saved.erase(saved.find(key), key.size());
  }
  const auto restored = restore_findings(saved);
  ASSERT_TRUE(restored) << restored.error().text();
  EXPECT_EQ(restored->open.at(0).missed, 0);
}

TEST(FindingState, AFigureThatIsNoneLosesNothingElse) {
  SavedFindings odd = findings();
  odd.open[0].newest.evidence[0].value = std::numeric_limits<double>::infinity();
  odd.open[0].newest.where = "\xff";  // not UTF-8
  const auto restored = restore_findings(save_findings(odd));
  ASSERT_TRUE(restored) << restored.error().text();
  EXPECT_TRUE(std::isnan(restored->open[0].newest.evidence[0].value));
}

TEST(FindingState, AnythingElseIsAnError) {
  const std::string saved = save_findings(findings());
  for (std::size_t cut = 0; cut < saved.size(); cut++)
    EXPECT_FALSE(restore_findings(std::string_view(saved).substr(0, cut))) << cut;
  const auto with = [&](const std::string& what, const std::string& instead) {
    std::string other = saved;
    const auto at = other.find(what);
    EXPECT_NE(at, std::string::npos) << what;
    return other.replace(at, what.size(), instead);
  };
  EXPECT_FALSE(restore_findings(with("\"version\":1", "\"version\":2"))) << "a newer agent's";
  EXPECT_FALSE(restore_findings(with("\"severity\":2", "\"severity\":3")));
  EXPECT_FALSE(restore_findings(with("\"slow_sync/demo/sda\"", "\"\"")));
  EXPECT_FALSE(restore_findings(with("\"since\":1000.0", "\"since\":null")));
  for (const char* bad :
       {"null", "[]", "7", "{\"version\":1}", "{\"version\":1,\"regressions\":[]}"})
    EXPECT_FALSE(restore_findings(bad)) << bad;
}

}  // namespace
}  // namespace nz::agent
