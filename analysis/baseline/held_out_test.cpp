#include "analysis/baseline/held_out.h"

#include <gtest/gtest.h>

#include <cmath>

namespace nz::analysis {
namespace {

const std::string kName = "nearzero_order_duration_seconds";
const Labels kLabels{{"target", "demo"}};

TEST(HeldOut, OwnRegressionsIncidentsAndFindingsOfTheTarget) {
  Regression own, other;
  own.of = {kName, kLabels, "p99", "seconds"};
  own.since = 100;
  own.earliest = 95;
  other.of = {"nearzero_runqueue_latency_seconds", kLabels, "p99", "seconds"};
  other.since = 1;
  Incident incident;
  incident.since = 200;
  incident.until = 300;
  incident.members.push_back({own.of, 210, 1, 0.5, 0.999});
  Finding warning, info, elsewhere;
  warning.target = "demo";
  warning.severity = Severity::warning;
  warning.since = 400;
  warning.until = 500;
  info = warning;
  info.severity = Severity::info;
  elsewhere = warning;
  elsewhere.target = "other";
  const std::vector<Regression> regressions{own, other};
  const std::vector<Incident> incidents{incident};
  const std::vector<Finding> findings{warning, info, elsewhere};
  const auto ranges = held_out(kName, kLabels, regressions, incidents, findings, 1000);
  ASSERT_EQ(ranges.size(), 3U);
  EXPECT_EQ(ranges[0].from, 95);
  EXPECT_EQ(ranges[0].to, 1095) << "what lasts longer is normal";
  EXPECT_EQ(ranges[1].to, 300);
  EXPECT_EQ(ranges[2].from, 400);
  EXPECT_EQ(ranges[2].to, 500);
}

TEST(HeldOut, RangesTouchWhereTheyShareTime) {
  const std::vector<TimeRange> ranges{{10, 20}};
  EXPECT_TRUE(overlaps(ranges, 15, 16));
  EXPECT_TRUE(overlaps(ranges, 0, 11));
  EXPECT_FALSE(overlaps(ranges, 20, 30));
  EXPECT_FALSE(overlaps({}, 0, 1));
}

}  // namespace
}  // namespace nz::analysis
