#include "analysis/undisturbed.h"

#include <gtest/gtest.h>

namespace nz::analysis {
namespace {

constexpr double kEnd = 10'000;

Finding incident(double since, double until, double impact = 0.5) {
  Finding f;
  f.impact = impact;
  f.since = since;
  f.until = until;
  f.state = until > 0 ? FindingState::resolved : FindingState::ongoing;
  return f;
}

void expect_stretch(const std::vector<Finding>& findings, double from, double to) {
  const auto found = undisturbed(findings, kEnd, {});
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->from, from);
  EXPECT_EQ(found->to, to);
}

TEST(Undisturbed, IsTheLastTenMinutesWhereNothingWas) { expect_stretch({}, 9'400, 10'000); }

TEST(Undisturbed, EndsBeforeWhatIsStillThere) {
  expect_stretch({incident(9'500, 0)}, 8'880, 9'480);
}

TEST(Undisturbed, BeginsAfterTheLastIncident) {
  expect_stretch({incident(9'500, 9'800)}, 9'800, 10'000);
}

TEST(Undisturbed, IsBeforeAnIncidentThatHasOnlyJustEnded) {
  expect_stretch({incident(9'500, 9'970)}, 8'880, 9'480);
}

TEST(Undisturbed, LiesBetweenIncidents) {
  expect_stretch({incident(9'900, 0), incident(9'000, 9'500), incident(9'200, 9'600)}, 9'600,
                 9'880);
}

TEST(Undisturbed, DoesNotCareForWhatCostsOrdersNothing) {
  expect_stretch({incident(1'000, 0, 0.01)}, 9'400, 10'000);
}

TEST(Undisturbed, IsNothingWhereAllOfThePastWasDisturbed) {
  EXPECT_FALSE(undisturbed({incident(1'000, 0)}, kEnd, {}).has_value());
  EXPECT_FALSE(undisturbed({incident(6'430, 0)}, kEnd, {}).has_value()) << "10 seconds are left";
}

TEST(Undisturbed, IgnoresWhatIsOlderThanTheFigures) {
  expect_stretch({incident(100, 6'000)}, 9'400, 10'000);
}

}  // namespace
}  // namespace nz::analysis
