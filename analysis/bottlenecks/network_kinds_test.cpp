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

// The target lives in a network namespace of its own; `at_host`: in the host's as well.
Scene in_a_container(bool at_host = false) {
  Scene s;
  s.gauge("nearzero_target_network_namespaces", {{"target", "demo"}, {"state", "host"}},
          at_host ? 1 : 0);
  s.gauge("nearzero_target_network_namespaces", {{"target", "demo"}, {"state", "read"}}, 1);
  return s;
}

TEST(ListenOverflow, OfAContainerIsItsOwn) {
  Scene s = in_a_container();
  s.counter("nearzero_target_tcp_events_total", {{"target", "demo"}, {"event", "listen_overflows"}},
            3);
  const auto found = find(s);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_EQ(found[0].kind, "listen_overflow");
  EXPECT_THAT(found[0].where, HasSubstr("demo"));
  EXPECT_THAT(found[0].recommendation, HasSubstr("nsenter"));
}

TEST(ListenOverflow, OfTheHostIsNoContainers) {
  const auto overflowing = [](Scene s) {
    return s.counter("nearzero_tcp_events_total", {{"event", "listen_overflows"}}, 3);
  };
  const auto none = find(overflowing(in_a_container()));
  EXPECT_TRUE(none.empty()) << told(none);
  // ... nor of a container that nobody could read ...
  Scene unreadable;
  unreadable.gauge("nearzero_target_network_namespaces",
                   {{"target", "demo"}, {"state", "unreadable"}}, 1);
  EXPECT_TRUE(find(overflowing(unreadable)).empty());
  // ... nor of another target's.
  Scene others = in_a_container();
  others.counter("nearzero_target_tcp_events_total",
                 {{"target", "gateway"}, {"event", "listen_overflows"}}, 3);
  EXPECT_THAT(kinds(find(others)), Not(Contains("listen_overflow")));
  EXPECT_EQ(find(overflowing(in_a_container(true))).size(), 1U) << "it lives in both";
}

TEST(NetworkLoss, OfAContainerIsByItsOwnFigures) {
  const Labels again{{"event", "retransmits"}}, sent{{"event", "segments_out"}};
  Scene at_host = in_a_container();
  at_host.counter("nearzero_tcp_events_total", again, 30);
  at_host.counter("nearzero_tcp_events_total", sent, 1'000);
  EXPECT_TRUE(find(at_host).empty()) << told(find(at_host));
  Scene own = in_a_container();
  // The host sends so much that no share of it would be told.
  own.counter("nearzero_tcp_events_total", sent, 100'000);
  own.counter("nearzero_target_tcp_events_total", {{"target", "demo"}, {"event", "retransmits"}},
              30);
  own.counter("nearzero_target_tcp_events_total", {{"target", "demo"}, {"event", "segments_out"}},
              1'000);
  own.counter("nearzero_network_drops_total", {{"interface", "eth0"}, {"direction", "in"}}, 70);
  own.counter("nearzero_target_network_drops_total", {{"target", "demo"}, {"direction", "in"}}, 9);
  const auto found = find(own);
  ASSERT_EQ(found.size(), 1U) << told(found);
  EXPECT_EQ(found[0].kind, "network_loss");
  bool dropped = false;
  for (const Evidence& e : found[0].evidence) {
    EXPECT_FALSE(e.series.starts_with("nearzero_network_")) << e.series << " is the host's";
    dropped = dropped || e.value == 9;
  }
  EXPECT_TRUE(dropped) << "the container's interface drops";
}

}  // namespace
}  // namespace nz::analysis::test
