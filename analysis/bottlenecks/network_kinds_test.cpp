// Rules of the network: what each says, and where it holds back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/bottlenecks/scene.h"

namespace nz::analysis::test {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(NetworkLoss, IsToldWithoutImpact) {
  Scene s;
  s.counter("nearzero_tcp_retransmits_total", {{"target", "demo"}}, 20);
  s.histogram("nearzero_tcp_round_trip_seconds", {{"target", "demo"}}, 600, 2e-4);
  const auto found = find(s);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_EQ(found[0].kind, "network_loss");
  EXPECT_EQ(found[0].severity, Severity::warning);
}

TEST(NetworkLoss, OfTheHostWhereTheTargetsAreNotCounted) {
  Scene s;
  s.counter("nearzero_tcp_events_total", {{"event", "retransmits"}}, 30);
  s.counter("nearzero_tcp_events_total", {{"event", "segments_out"}}, 1'000);
  EXPECT_EQ(find(s)[0].kind, "network_loss");
  Scene few;
  few.counter("nearzero_tcp_events_total", {{"event", "retransmits"}}, 30);
  few.counter("nearzero_tcp_events_total", {{"event", "segments_out"}}, 100'000);
  EXPECT_TRUE(find(few).empty()) << told(find(few));
}

TEST(NetworkLoss, OfHalfAPercentIsToldWhereThereWasNone) {
  Scene s;
  s.counter("nearzero_tcp_retransmits_total", {{"target", "demo"}}, 4);
  s.histogram("nearzero_tcp_round_trip_seconds", {{"target", "demo"}}, 800, 2e-4);
  ASSERT_EQ(find(s).size(), 1U) << told(find(s));
  EXPECT_EQ(find(s)[0].kind, "network_loss");
  EXPECT_TRUE(find(s, s).empty()) << "it has always been so";
}

TEST(NetworkLoss, OfHalfAPercentIsNoLossWhereTheReceiverGetsNoCpu) {
  Scene healthy;
  for (const bool quota : {true, false}) {
    Scene s;
    s.counter("nearzero_tcp_retransmits_total", {{"target", "demo"}}, 4);
    s.histogram("nearzero_tcp_round_trip_seconds", {{"target", "demo"}}, 800, 2e-4);
    if (quota) {
      s.counter("nearzero_target_throttled_seconds_total", {{"target", "demo"}}, 0.3);
    } else {
      s.others = 1.9;
    }
    EXPECT_THAT(kinds(find(s, healthy)), Not(Contains("network_loss"))) << told(find(s, healthy));
  }
}

TEST(NetworkLoss, ALongerWayIsToldWithoutALoss) {
  Scene s, healthy;
  s.histogram("nearzero_tcp_round_trip_seconds", {{"target", "demo"}}, 600, 30e-3);
  healthy.histogram("nearzero_tcp_round_trip_seconds", {{"target", "demo"}}, 600, 1e-3);
  const auto found = find(s, healthy);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(found[0].title, HasSubstr("The network has become slow"));
}

TEST(ListenOverflow, IsTold) {
  Scene s;
  s.counter("nearzero_tcp_events_total", {{"event", "listen_overflows"}}, 3);
  ASSERT_EQ(find(s).size(), 1U);
  EXPECT_EQ(find(s)[0].kind, "listen_overflow");
}

}  // namespace
}  // namespace nz::analysis::test
