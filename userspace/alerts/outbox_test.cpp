#include "userspace/alerts/outbox.h"

#include <gmock/gmock.h>

#include <cmath>

namespace nz::alerts {
namespace {

Alert alert(const std::string& name, State state, double fired_at = 1,
            const std::string& target = "a") {
  Alert a;
  a.rule = name;
  a.labels = {{"alertname", name}, {"target", target}};
  a.state = state;
  a.fired_at = fired_at;
  if (state == State::resolved) a.resolved_at = fired_at + 1;
  return a;
}

/// "A F, B r": what a message says.
std::string said(const std::optional<Outbox::Message>& message) {
  if (!message) return "nothing";
  std::string text;
  for (const Alert& a : message->alerts)
    text += (text.empty() ? "" : ", ") + a.rule + (a.state == State::firing ? " F" : " r");
  return text;
}

Outbox::Options alertmanager() {
  Outbox::Options options;
  options.repeat = 60;
  options.retain_resolved = 900;
  return options;
}
Outbox::Options webhook() {
  Outbox::Options options;
  options.group_by = {"alertname"};
  options.wait = 5;
  options.interval = 30;
  options.repeat = 3600;
  return options;
}

TEST(Outbox, AnAlertmanagerHearsAllThatFiresAgainAndAgain) {
  Outbox box(alertmanager());
  EXPECT_EQ(said(box.due(0)), "nothing");
  box.update({alert("A", State::firing)}, 100);
  EXPECT_EQ(box.waiting(), 1U);
  auto message = box.due(100);
  EXPECT_EQ(said(message), "A F");
  box.delivered(*message, 100);
  EXPECT_EQ(box.waiting(), 0U);
  EXPECT_EQ(said(box.due(159)), "nothing");
  EXPECT_EQ(box.next(), 160);
  EXPECT_EQ(said(box.due(160)), "A F");
  box.delivered(*box.due(160), 160);
  box.update({alert("A", State::firing), alert("B", State::firing)}, 170);
  EXPECT_EQ(said(box.due(170)), "A F, B F") << "news are told at once";
  box.delivered(*box.due(170), 170);
  box.update({alert("A", State::resolved), alert("B", State::firing)}, 180);
  EXPECT_EQ(said(box.due(180)), "B F, A r");
  box.delivered(*box.due(180), 180);
  box.update({alert("B", State::firing)}, 190);
  EXPECT_EQ(said(box.due(240)), "B F, A r") << "its end is told for 15 minutes";
  box.delivered(*box.due(240), 240);
  box.update({alert("B", State::firing)}, 180 + 900);
  EXPECT_EQ(said(box.due(180 + 900)), "B F");
}

TEST(Outbox, WhatIsUnderWayWhileItChangesIsToldAgain) {
  Outbox box(alertmanager());
  box.update({alert("A", State::firing)}, 100);
  const auto message = box.due(100);
  box.update({alert("A", State::resolved)}, 105);
  box.delivered(*message, 110);
  EXPECT_EQ(box.waiting(), 1U);
  EXPECT_EQ(said(box.due(110)), "A r");
}

TEST(Outbox, AnAlertThatCameAndWentWhileNobodyHeardIsToldOnce) {
  Outbox box(webhook());
  box.update({alert("A", State::firing)}, 100);
  box.failed(*box.due(105), 105, 1);
  box.update({alert("A", State::resolved)}, 110);
  EXPECT_EQ(said(box.due(200)), "A r");
  box.delivered(*box.due(200), 200);
  EXPECT_EQ(said(box.due(1e6)), "nothing");
  box.update({alert("A", State::resolved)}, 210);
  EXPECT_EQ(said(box.due(1e6)), "nothing") << "the engine lists it for a while";
}

TEST(Outbox, AWebhookHearsOfGroups) {
  Outbox box(webhook());
  box.update({alert("A", State::firing, 1, "x")}, 100);
  EXPECT_EQ(said(box.due(104)), "nothing") << "waits for more of its kind";
  box.update({alert("A", State::firing, 1, "x"), alert("A", State::firing, 1, "y"),
              alert("B", State::firing, 1, "x")},
             104);
  EXPECT_EQ(said(box.due(105)), "A F, A F");
  EXPECT_EQ(box.due(105)->group_labels, (analysis::Labels{{"alertname", "A"}}));
  box.delivered(*box.due(105), 105);
  EXPECT_EQ(said(box.due(109)), "B F");
  box.delivered(*box.due(109), 109);
  box.update({alert("A", State::resolved, 1, "x"), alert("A", State::firing, 1, "y"),
              alert("B", State::firing, 1, "x")},
             112);
  EXPECT_EQ(said(box.due(134)), "nothing") << "one message in 30 s";
  EXPECT_EQ(said(box.due(135)), "A F, A r");
  box.delivered(*box.due(135), 135);
  EXPECT_EQ(said(box.due(3708)), "nothing");
  EXPECT_EQ(said(box.due(3709)), "B F") << "told again after an hour";
}

TEST(Outbox, FailuresAreRetriedLaterEachTime) {
  Outbox box(alertmanager());
  box.update({alert("A", State::firing)}, 100);
  double now = 100;
  std::vector<double> pauses;
  for (int i = 0; i < 9; i++) {
    const auto message = box.due(now);
    ASSERT_TRUE(message) << i;
    box.failed(*message, now, 1);
    pauses.push_back(box.next() - now);
    EXPECT_EQ(said(box.due(box.next() - 0.01)), "nothing");
    now = box.next();
  }
  EXPECT_THAT(pauses, testing::ElementsAre(1, 2, 4, 8, 16, 32, 60, 60, 60));
  EXPECT_EQ(box.waiting(), 1U) << "nothing is given up";
  box.delivered(*box.due(now), now);
  EXPECT_EQ(box.waiting(), 0U);
  box.update({alert("A", State::firing), alert("B", State::firing)}, now + 1);
  box.failed(*box.due(now + 1), now + 1, 0);
  EXPECT_DOUBLE_EQ(box.next() - now - 1, 0.5) << "from the beginning, with chance";
}

TEST(Outbox, ASilencedAlertIsNotTold) {
  Outbox box(webhook());
  Alert a = alert("A", State::firing);
  a.silenced_by = "s1";
  box.update({a}, 100);
  EXPECT_EQ(said(box.due(1000)), "nothing");
  a.silenced_by.clear();
  box.update({a}, 200);
  EXPECT_EQ(said(box.due(205)), "A F") << "the silence is over and it still fires";
  box.delivered(*box.due(205), 205);
  a.silenced_by = "s2";
  box.update({a}, 300);
  EXPECT_EQ(said(box.due(1e5)), "nothing") << "not even again";
  EXPECT_TRUE(std::isinf(box.next()));
  Alert end = alert("A", State::resolved);
  end.silenced_by = "s2";
  box.update({end}, 400);
  EXPECT_EQ(said(box.due(405)), "A r") << "who has heard of it hears of its end";
  box.delivered(*box.due(405), 405);
  // From beginning to end under a silence: never.
  Alert b = alert("B", State::firing);
  b.silenced_by = "s2";
  box.update({b}, 500);
  b.state = State::resolved;
  box.update({b}, 600);
  EXPECT_EQ(said(box.due(1e5)), "nothing");
}

TEST(Outbox, WhatIsMissingHasEnded) {
  Outbox box(webhook());
  box.update({alert("A", State::firing)}, 100);
  box.delivered(*box.due(105), 105);
  box.update({}, 200);
  EXPECT_EQ(said(box.due(205)), "A r");
  EXPECT_EQ(box.due(205)->alerts[0].resolved_at, 200);
}

TEST(Outbox, OneThatFiresAnewBetweenTwoMessagesIsNews) {
  Outbox box(webhook());
  box.update({alert("A", State::firing, 1)}, 100);
  box.delivered(*box.due(105), 105);
  box.update({alert("A", State::firing, 120)}, 120);
  EXPECT_EQ(said(box.due(135)), "A F");
}

TEST(Outbox, ARestartForgetsNothing) {
  Outbox before(webhook());
  before.update({alert("A", State::firing), alert("B", State::firing)}, 100);
  before.delivered(*before.due(105), 105);  // A
  before.update({alert("A", State::resolved), alert("B", State::firing)}, 106);
  Outbox after(webhook());
  ASSERT_TRUE(after.restore(before.save()));
  EXPECT_EQ(after.waiting(), 2U) << "the end of A, and B";
  after.update({alert("B", State::firing)}, 140);
  std::string all;
  while (const auto message = after.due(140)) {
    all += said(message) + ";";
    after.delivered(*message, 140);
  }
  EXPECT_EQ(all, "B F;A r;");
  // Told already: not again.
  Outbox third(webhook());
  ASSERT_TRUE(third.restore(after.save()));
  third.update({alert("B", State::firing)}, 150);
  EXPECT_EQ(said(third.due(200)), "nothing");
  // Other groups than before: nothing ends by that.
  Outbox::Options other = webhook();
  other.group_by = {"target"};
  Outbox regrouped(other);
  ASSERT_TRUE(regrouped.restore(third.save()));
  regrouped.update({alert("B", State::firing)}, 210);
  EXPECT_EQ(said(regrouped.due(500)), "nothing");
  for (const char* bad : {"", "{}", "{\"version\":7}", "[]"}) EXPECT_FALSE(regrouped.restore(bad));
}

TEST(Outbox, AClockThatIsSetBackDoesNotSilenceIt) {
  Outbox box(alertmanager());
  box.update({alert("A", State::firing)}, 100'000);
  box.delivered(*box.due(100'000), 100'000);
  box.update({alert("A", State::firing)}, 10'000);
  EXPECT_LE(box.next(), 10'060);
  EXPECT_EQ(said(box.due(10'060)), "A F");
}

TEST(Outbox, WhatAClockThatWasAheadHasSavedHoldsNothingBack) {
  for (const auto& options : {alertmanager(), webhook()}) {
    Outbox before(options);
    before.update({alert("A", State::firing)}, 1e9);
    before.delivered(*before.due(1e9 + 5), 1e9 + 5);
    before.update({alert("A", State::resolved)}, 1e9 + 60);
    Outbox box(options);
    ASSERT_TRUE(box.restore(before.save()));
    box.update({alert("A", State::resolved)}, 100);
    EXPECT_EQ(said(box.due(135)), "A r");
  }
}

TEST(Outbox, IsBounded) {
  Outbox::Options options = alertmanager();
  options.most = 10;
  Outbox box(options);
  std::vector<Alert> many;
  for (int i = 0; i < 15; i++) many.push_back(alert("A", State::firing, 1, std::to_string(i)));
  box.update(many, 100);
  EXPECT_EQ(box.waiting(), 10U);
  EXPECT_EQ(box.dropped(), 5U);
}

TEST(Outbox, OfTwoWithTheSameLabelsTheOneThatFiresCounts) {
  Outbox box(alertmanager());
  box.update({alert("A", State::firing), alert("A", State::resolved)}, 100);
  EXPECT_EQ(said(box.due(100)), "A F");
}

}  // namespace
}  // namespace nz::alerts
