#include "analysis/breaker.h"

#include <gtest/gtest.h>

namespace nz::analysis {
namespace {

const Breaker::Key kKey{"stages", 1};

TEST(Breaker, TripsAfterThreeSecondsAboveTheLimit) {
  Breaker b(0.1, 3);
  EXPECT_TRUE(b.observe({{kKey, 0.2}}, 1).empty());
  EXPECT_TRUE(b.observe({{kKey, 0.2}}, 1).empty());
  const auto tripped = b.observe({{kKey, 0.2}}, 1);
  ASSERT_EQ(tripped.size(), 1U);
  EXPECT_EQ(tripped[0], kKey);
  EXPECT_TRUE(b.tripped(kKey));
}

TEST(Breaker, AnInterruptionStartsAnew) {
  Breaker b(0.1, 3);
  b.observe({{kKey, 0.2}}, 1);
  b.observe({{kKey, 0.2}}, 1);
  b.observe({{kKey, 0.05}}, 1);
  EXPECT_TRUE(b.observe({{kKey, 0.2}}, 1).empty());
  EXPECT_TRUE(b.observe({{kKey, 0.2}}, 1).empty());
  EXPECT_EQ(b.observe({{kKey, 0.2}}, 1).size(), 1U);
}

TEST(Breaker, ExactlyTheLimitIsAllowed) {
  Breaker b(0.1, 1);
  EXPECT_TRUE(b.observe({{kKey, 0.1}}, 10).empty());
}

TEST(Breaker, ReportsOnceUntilReset) {
  Breaker b(0.1, 1);
  EXPECT_EQ(b.observe({{kKey, 1}}, 1).size(), 1U);
  EXPECT_TRUE(b.observe({{kKey, 1}}, 1).empty());
  b.reset();
  EXPECT_FALSE(b.tripped(kKey));
  EXPECT_EQ(b.observe({{kKey, 1}}, 1).size(), 1U);
}

TEST(Breaker, KeysDoNotAddUp) {
  Breaker b(0.1, 1);
  EXPECT_TRUE(
      b.observe({{{"stages", 1}, 0.09}, {{"stages", 2}, 0.09}, {{"sqlite", 1}, 0.09}}, 5).empty());
}

TEST(Breaker, ShortObservationsAddUp) {
  Breaker b(0.1, 3);
  int observations = 0;
  while (b.observe({{kKey, 0.2}}, 0.25).empty()) observations++;
  EXPECT_EQ(observations, 11) << "the twelfth completes three seconds";
}

TEST(Breaker, OneLongObservationIsEnough) {
  Breaker b(0.1, 3);
  EXPECT_EQ(b.observe({{kKey, 0.2}}, 10).size(), 1U);
}

TEST(Breaker, AKeyThatVanishesStartsAnew) {
  Breaker b(0.1, 3);
  b.observe({{kKey, 0.2}}, 2);
  b.observe({}, 1);
  EXPECT_TRUE(b.observe({{kKey, 0.2}}, 2).empty());
}

TEST(Breaker, RemembersWhatTrippedIt) {
  Breaker b(0.1, 1);
  b.observe({{kKey, 0.7}}, 1);
  b.observe({{kKey, 0}}, 1);
  EXPECT_EQ(b.tripped().at(kKey), 0.7);
}

TEST(Breaker, AChangedLimitDoesNotUntrip) {
  Breaker b(0.1, 1);
  b.observe({{kKey, 0.2}}, 1);
  b.set_limit(0.5, 2);
  EXPECT_TRUE(b.tripped(kKey));
  const Breaker::Key other{"sqlite", 1};
  EXPECT_TRUE(b.observe({{other, 0.4}}, 5).empty());
  EXPECT_TRUE(b.observe({{other, 0.6}}, 1).empty());
  EXPECT_EQ(b.observe({{other, 0.6}}, 1).size(), 1U);
}

}  // namespace
}  // namespace nz::analysis
