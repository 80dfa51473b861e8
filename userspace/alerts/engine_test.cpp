// Alerts over time: table-driven sequences, flapping, restarts, clocks that jump.
#include "userspace/alerts/engine.h"

#include <gmock/gmock.h>

#include "userspace/alerts/test_scene.h"

namespace nz::alerts {
namespace {

using testing::annotation;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::kNow;
using testing::label;
using testing::rules_of;
using testing::Scene;

/// One rule on nearzero_off, stepped each 10 s.
class Life {
 public:
  explicit Life(const std::string& keys, Engine::Options options = {}) : engine_(options) {
    engine_.set_rules(
        rules_of("rules:\n  - name: A\n    threshold: {series: nearzero_off, above: 0}\n" + keys));
  }

  /// '1' it holds, '0' not, '?' no history. Gives the states: '.' inactive, p, F, r.
  std::string run(const std::string& inputs, double step = 10) {
    std::string states;
    for (const char input : inputs) {
      now += step;
      states += one(input);
    }
    return states;
  }
  char one(char input) {
    Scene scene;
    scene.gauge("nearzero_off", {}, input == '1' ? 1 : 0);
    if (input == '?') scene.covered = 0;
    const auto changes = engine_.step(scene, now);
    fired += changes.fired.size();
    resolved += changes.resolved.size();
    const auto all = engine_.alerts();
    if (all.empty()) return '.';
    return all[0].state == State::pending ? 'p' : all[0].state == State::firing ? 'F' : 'r';
  }
  Engine& engine() { return engine_; }

  double now = kNow;
  std::size_t fired = 0, resolved = 0;

 private:
  Engine engine_;
};

struct Case {
  const char* keys;
  const char* inputs;
  const char* states;
};
class EachLife : public ::testing::TestWithParam<Case> {};

TEST_P(EachLife, GoesThroughItsStates) {
  Life life(GetParam().keys);
  EXPECT_EQ(life.run(GetParam().inputs), GetParam().states) << GetParam().keys;
}

INSTANTIATE_TEST_SUITE_P(
    Rules, EachLife,
    ::testing::Values(
        // fires at once, ends at once
        Case{"    keep_firing_for: 0s\n", "001110011", "..FFFrrFF"},
        // waits
        Case{"    for: 30s\n    keep_firing_for: 0s\n", "111111000", "pppFFFrrr"},
        // a break begins the wait anew
        Case{"    for: 30s\n    keep_firing_for: 0s\n", "1101111100", "pp.pppFFrr"},
        // holds on; what comes back has never ended
        Case{"    keep_firing_for: 30s\n", "1100110000", "FFFFFFFFrr"},
        // nothing known: pending and firing stay, nothing begins, waiting does not count
        Case{"    for: 30s\n    keep_firing_for: 0s\n", "?1??1110??00", ".pppppFrrrrr"},
        Case{"    keep_firing_for: 0s\n", "1???????0", "FFFFFFFFr"}));

TEST(Engine, TellsWhatFiredAndWhatEnded) {
  Life life(
      "    keep_firing_for: 0s\n    severity: critical\n    labels: {team: t}\n"
      "    annotations: {summary: 'is {{ value }} since {{ since }}, {{ rule }} {{ labels.team "
      "}}'}\n");
  Scene scene;
  scene.gauge("nearzero_off", {}, 1);
  const auto changes = life.engine().step(scene, kNow);
  ASSERT_EQ(changes.fired.size(), 1U);
  const Alert& alert = changes.fired[0];
  EXPECT_EQ(alert.labels,
            (analysis::Labels{{"alertname", "A"}, {"severity", "critical"}, {"team", "t"}}));
  EXPECT_EQ(annotation(alert, "summary"), "is 1 since 2025-11-27 15:00:00 UTC, A t");
  EXPECT_EQ(alert.fired_at, kNow);
  scene.series[0].value = 0;
  const auto end = life.engine().step(scene, kNow + 10);
  ASSERT_EQ(end.resolved.size(), 1U);
  EXPECT_EQ(end.resolved[0].resolved_at, kNow + 10);
  EXPECT_EQ(end.resolved[0].fingerprint(), alert.fingerprint());
}

TEST(Engine, SeriesAreKeptApart) {
  Engine engine;
  engine.set_rules(rules_of(
      "rules:\n  - name: A\n    threshold: {series: nearzero_target_threads, above: 10}\n"));
  Scene scene;
  scene.gauge("nearzero_target_threads", {{"target", "a"}}, 20);
  scene.gauge("nearzero_target_threads", {{"target", "b"}}, 5);
  scene.gauge("nearzero_target_threads", {{"target", "c"}}, 30);
  const auto changes = engine.step(scene, kNow);
  ASSERT_EQ(changes.fired.size(), 2U);
  EXPECT_EQ(label(changes.fired[0], "target"), "a");
  EXPECT_EQ(label(changes.fired[1], "target"), "c");
  EXPECT_NE(changes.fired[0].fingerprint(), changes.fired[1].fingerprint());
}

TEST(Engine, WhatFlapsIsHeldForLonger) {
  Life life("    keep_firing_for: 0s\n");
  EXPECT_EQ(life.run("1010"), "FrFr");
  EXPECT_EQ(life.run("1"), "F") << "the third time within an hour";
  EXPECT_TRUE(life.engine().alerts()[0].flapping);
  EXPECT_EQ(life.run(std::string(89, '0')), std::string(89, 'F')) << "held for 15 minutes";
  EXPECT_EQ(life.run("0"), "r");
  EXPECT_EQ(life.fired, 3U);
  EXPECT_EQ(life.resolved, 3U);
  // An hour of quiet, and it is as any other.
  life.run(std::string(400, '0'));
  EXPECT_EQ(life.run("10"), "Fr");
}

TEST(Engine, NothingKnownForLongEndsIt) {
  Life life("    keep_firing_for: 0s\n");
  EXPECT_EQ(life.run("1"), "F");
  EXPECT_EQ(life.run(std::string(89, '?')), std::string(89, 'F'));
  EXPECT_EQ(life.run("?"), "r") << "after 15 minutes";
}

TEST(Engine, AClockThatJumpsFiresNothing) {
  Life life("    for: 5m\n    keep_firing_for: 5m\n");
  EXPECT_EQ(life.run("1"), "p");
  life.now += 86400;
  EXPECT_EQ(life.one('1'), 'p') << "a jump forward is no waiting";
  life.now -= 2 * 86400;
  EXPECT_EQ(life.one('1'), 'p') << "nor is one back";
  EXPECT_EQ(life.run("11111"), "ppppp");
  EXPECT_EQ(life.run(std::string(30, '1')).back(), 'F');
  life.now -= 86400;
  EXPECT_EQ(life.one('0'), 'F');
  life.now += 86400;
  EXPECT_EQ(life.one('0'), 'F') << "nor does it end by a jump";
  EXPECT_EQ(life.fired, 1U);
  EXPECT_EQ(life.resolved, 0U);
}

TEST(Engine, ARestartLosesNothingAndFiresNothingTwice) {
  const std::string keys = "    for: 30s\n    keep_firing_for: 20s\n";
  Life before(keys);
  EXPECT_EQ(before.run("11"), "pp");
  Life pending(keys);
  ASSERT_TRUE(pending.engine().restore(before.engine().save()));
  pending.now = before.now + 3600;
  EXPECT_EQ(pending.run("1"), "p") << "the hour in between was not watched";
  EXPECT_EQ(pending.run("11"), "pF");
  EXPECT_EQ(pending.fired, 1U);

  Life firing(keys);
  ASSERT_TRUE(firing.engine().restore(pending.engine().save()));
  firing.now = pending.now + 5;
  EXPECT_EQ(firing.run("???1"), "FFFF");
  EXPECT_EQ(firing.fired, 0U) << "it fires already";
  EXPECT_EQ(firing.run("000"), "Frr");
  EXPECT_EQ(firing.resolved, 1U);
}

TEST(Engine, WhatWasSavedAndCannotBeReadChangesNothing) {
  Life life("");
  life.run("1");
  const std::string saved = life.engine().save();
  for (const std::string& bad :
       {std::string(), std::string("{}"), saved.substr(0, saved.size() / 2), std::string("[1,2]"),
        std::string("{\"version\":99,\"alerts\":[]}")}) {
    EXPECT_FALSE(life.engine().restore(bad)) << bad;
    EXPECT_EQ(life.engine().alerts().size(), 1U);
  }
}

TEST(Engine, ARuleThatIsChangedOrGoneEndsItsAlerts) {
  const auto text = [](const std::string& limit, const std::string& more) {
    return "rules:\n  - name: A\n    threshold: {series: nearzero_off, above: " + limit + "}\n" +
           more;
  };
  Scene scene;
  scene.gauge("nearzero_off", {}, 1);
  Engine engine;
  engine.set_rules(rules_of(text("0", "")));
  EXPECT_EQ(engine.step(scene, kNow).fired.size(), 1U);
  engine.set_rules(rules_of(text("0", "    annotations: {summary: new}\n    for: 1m\n")));
  auto changes = engine.step(scene, kNow + 10);
  EXPECT_TRUE(changes.fired.empty() && changes.resolved.empty()) << "texts may change under it";
  EXPECT_EQ(annotation(engine.alerts()[0], "summary"), "new");
  engine.set_rules(rules_of(text("0.5", "")));
  changes = engine.step(scene, kNow + 20);
  EXPECT_EQ(changes.resolved.size(), 1U) << "another condition is another alert";
  EXPECT_EQ(changes.fired.size(), 1U);
  engine.set_rules({});
  changes = engine.step(scene, kNow + 30);
  EXPECT_EQ(changes.resolved.size(), 1U);
  EXPECT_TRUE(changes.fired.empty());
}

TEST(Engine, AlertsOfRulesThatCouldNotBeReadGoOn) {
  Scene scene;
  scene.gauge("nearzero_off", {}, 1);
  Engine before;
  before.set_rules(
      rules_of("rules:\n  - name: A\n    threshold: {series: nearzero_off, above: 0}\n"));
  EXPECT_EQ(before.step(scene, kNow).fired.size(), 1U);
  Engine after;
  ASSERT_TRUE(after.restore(before.save()));
  after.set_rules(
      rules_of("rules:\n  - name: B\n    threshold: {series: nearzero_off, above: 5}\n"), false);
  EXPECT_TRUE(after.step(scene, kNow + 10).resolved.empty());
  EXPECT_EQ(after.alerts().size(), 1U);
  after.set_rules({});
  EXPECT_EQ(after.step(scene, kNow + 20).resolved.size(), 1U) << "now it is known to be gone";
}

TEST(Engine, IsBoundedAndCountsWhatDoesNotFit) {
  Engine::Options options;
  options.most = 10;
  Engine engine(options);
  engine.set_rules(
      rules_of("rules:\n  - name: A\n    threshold: {series: nearzero_target_threads, above: 0}\n"
               "    keep_firing_for: 0s\n"));
  Scene scene;
  for (int i = 0; i < 25; i++)
    scene.gauge("nearzero_target_threads", {{"target", std::to_string(i)}}, 1);
  EXPECT_EQ(engine.step(scene, kNow).fired.size(), 10U);
  EXPECT_EQ(engine.dropped(), 15U);
  // Resolved ones make room; firing ones never do.
  for (auto& series : scene.series) series.value = series.labels[0].second < "13" ? 0 : 1;
  const auto changes = engine.step(scene, kNow + 10);
  EXPECT_GT(changes.resolved.size(), 0U);
  EXPECT_LE(engine.alerts().size(), 10U);
}

TEST(Engine, AGaugeIsAbsentWhenItHasBeenMissingForTheWindow) {
  Engine engine;
  engine.set_rules(
      rules_of("rules:\n  - name: A\n    keep_firing_for: 0s\n    for: 10s\n"
               "    absence: {series: nearzero_target_threads, window: 30s}\n"));
  Scene there, gone;
  there.gauge("nearzero_target_threads", {{"target", "a"}}, 1);
  double now = kNow;
  const auto fired = [&](const Scene& scene) { return engine.step(scene, now += 10).fired.size(); };
  for (const Scene* scene : {&gone, &gone, &there, &gone, &gone, &gone, &gone})
    EXPECT_EQ(fired(*scene), 0U) << "30 s of the window and 10 s of `for` have not passed";
  EXPECT_EQ(fired(gone), 1U);
  EXPECT_EQ(engine.step(there, now + 10).resolved.size(), 1U);
}

TEST(Engine, UnknownRulesSayWhy) {
  Engine engine;
  engine.set_rules(
      rules_of("rules:\n  - name: A\n    regression: {}\n"
               "  - name: B\n    threshold: {series: nearzero_off, above: 0}\n"));
  Scene scene;
  scene.judged = false;
  scene.gauge("nearzero_off", {}, 1);
  EXPECT_EQ(engine.step(scene, kNow).fired.size(), 1U)
      << "one that cannot be judged stops no other";
  ASSERT_EQ(engine.unknown().size(), 1U);
  EXPECT_EQ(engine.unknown()[0].rule, "A");
  EXPECT_THAT(engine.unknown()[0].why, HasSubstr("nobody looks for regressions"));
}

TEST(Engine, ValuesAreTextAndNeverTemplates) {
  Engine engine;
  engine.set_rules(rules_of(
      "rules:\n  - name: A\n    threshold: {series: nearzero_sqlite_statements_total, above: 0}\n"
      "    annotations: {summary: '{{ labels.statement }}'}\n"));
  Scene scene;
  scene.counter("nearzero_sqlite_statements_total",
                {{"target", "a"}, {"statement", "SELECT '{{ value }}'\n<script>\x1b[31m"}}, 5);
  const auto changes = engine.step(scene, kNow);
  ASSERT_EQ(changes.fired.size(), 1U);
  EXPECT_EQ(annotation(changes.fired[0], "summary"), "SELECT '{{ value }}'?<script>?[31m");
}

TEST(Template, ControlCharactersOfTwoBytesAreTold) {
  EXPECT_EQ(plain_text("a\xc2\x9b"
                       "31m \x1b\x7f \xc3\xa9 \xc2\xb5s \xc2",
                       100),
            "a?31m ?? \xc3\xa9 \xc2\xb5s \xc2");
}

TEST(Template, IsCutBetweenCharacters) {
  const auto t = Template::parse("{{ value }}", {"value"}, {});
  ASSERT_TRUE(t);
  std::string long_text;
  for (int i = 0; i < 2000; i++) long_text += "\xc3\xa4";
  const std::string filled = t->fill({{"value", long_text}});
  EXPECT_LE(filled.size(), Template::kMostBytes);
  EXPECT_EQ(filled.substr(filled.size() - 3), "\xe2\x80\xa6");
  EXPECT_EQ((filled.size() - 3) % 2, 0U);
  EXPECT_EQ(t->fill({}), "-");
}

}  // namespace
}  // namespace nz::alerts
