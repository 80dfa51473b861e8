#include "analysis/bottlenecks/order_path.h"

#include <gtest/gtest.h>

#include "analysis/bottlenecks/scene.h"

namespace nz::analysis::test {
namespace {

struct Path {
  Window now, before;
  WindowIndex now_index, before_index;
  OrderPath path;
  Path(const Scene& scene, const std::optional<Scene>& reference, const Rules& rules = {})
      : now(scene.window()),
        before(reference ? reference->window() : Window{}),
        now_index(now),
        before_index(before),
        path(scene.target, now_index, before_index, rules) {}
};

TEST(OrderPath, TakesTheStageThatIsTheWhole) {
  const Path p(Scene{}, Scene{});
  EXPECT_EQ(p.path.now().orders, 3000);
  EXPECT_NEAR(p.path.now().seconds, 281e-6, 1e-9);
  EXPECT_NEAR(p.path.now().orders_per_second, 300, 1e-9);
  EXPECT_EQ(p.path.now().stages.size(), 4U) << "without the whole one";
}

TEST(OrderPath, AddsStagesThatFollowEachOther) {
  Scene s;
  s.whole = false;
  const Path p(s, s);
  EXPECT_EQ(p.path.now().orders, 3000);
  EXPECT_NEAR(p.path.now().seconds, 281e-6, 1e-9);
}

TEST(OrderPath, FindsAWholeOfAnotherName) {
  Scene s;
  s.whole = false;
  std::map<std::string, double> all;
  for (const auto& [stage, parts] : s.us) {
    for (const auto& [component, us] : parts) all[component] += us;
  }
  s.us["FIX::onMessage"] = all;
  const Path p(s, s);
  EXPECT_NEAR(p.path.now().seconds, 281e-6, 1e-9);
}

TEST(OrderPath, DoesNotTakeTheLongestStageForTheWhole) {
  Scene s;
  s.whole = false;
  s.us["risk"]["running"] = 2'000;  // longer than all the others, but not their waits
  const Path p(s, s);
  EXPECT_NEAR(p.path.now().seconds, (281 - 120 + 2'000) * 1e-6, 1e-9);
}

TEST(OrderPath, TheRulesMayNameTheWhole) {
  Rules rules;
  rules.whole_stage["demo"] = "risk";
  const Path p(Scene{}, Scene{}, rules);
  EXPECT_NEAR(p.path.now().seconds, 123e-6, 1e-9);
}

TEST(OrderPath, ExcessIsBeyondTheReference) {
  Scene s;
  s.us["risk"]["lock"] = 101;
  const Path p(s, Scene{});
  EXPECT_NEAR(p.path.excess(Component::lock), 100e-6, 1e-9);
  EXPECT_EQ(p.path.excess(Component::disk), 0);
  EXPECT_NEAR(p.path.share(p.path.excess(Component::lock)), 100.0 / 381, 1e-6);
  EXPECT_EQ(p.path.worst_stage(Component::lock), "stage risk");
}

TEST(OrderPath, WithoutAReferenceWaitsCountAndWorkDoesNot) {
  const Path p(Scene{}, std::nullopt);
  EXPECT_FALSE(p.path.comparable());
  EXPECT_NEAR(p.path.excess(Component::disk), 12e-6, 1e-9);
  EXPECT_EQ(p.path.excess(Component::running), 0);
}

TEST(OrderPath, ADutyCycleChangesNoOrderAndTheRateIsTheWhole) {
  Scene s;
  s.stages_observed = 0.25;
  const Path p(s, Scene{});
  EXPECT_EQ(p.path.now().orders, 750);
  EXPECT_NEAR(p.path.now().orders_per_second, 300, 1e-9);
  EXPECT_NEAR(p.path.now().seconds, 281e-6, 1e-9);
}

TEST(OrderPath, WithoutStagesAnOrderIsASecondOfWork) {
  Scene s;
  s.stages = false;
  const Path p(s, s);
  EXPECT_FALSE(p.path.from_stages());
  EXPECT_TRUE(p.path.usable());
  EXPECT_NEAR(p.path.now().parts[Component::running], 1, 1e-12);
  EXPECT_NEAR(p.path.now().parts[Component::runnable], 5e-6 * 300 / (261e-6 * 300 + 0.05), 1e-4);
}

TEST(OrderPath, TwiceTheLoadWithTwiceTheWaitsIsNoChangeWithoutStages) {
  Scene s;
  s.stages = false;
  s.background = 0;
  s.us["risk"]["lock"] = 100;
  Scene twice = s;
  twice.rate *= 2;
  const Path p(twice, s);
  EXPECT_NEAR(p.path.excess(Component::lock), 0, 1e-9);
}

struct Least {
  double rate, seconds;
  bool usable;
};
class LeastSample : public ::testing::TestWithParam<Least> {};

TEST_P(LeastSample, DecidesWhetherAnythingIsClaimed) {
  Scene s;
  s.rate = GetParam().rate;
  s.seconds = GetParam().seconds;
  s.us["risk"]["lock"] = 10'000;
  const Path p(s, Scene{});
  EXPECT_EQ(p.path.usable(), GetParam().usable);
  EXPECT_EQ(p.path.excess(Component::lock) > 0, GetParam().usable);
  const Path reference(Scene{}, s);
  EXPECT_EQ(reference.path.comparable(), GetParam().usable);
}

INSTANTIATE_TEST_SUITE_P(All, LeastSample,
                         ::testing::Values(Least{300, 10, true}, Least{2, 10, true},
                                           Least{1.9, 10, false}, Least{0, 10, false},
                                           Least{300, 4.9, false}, Least{4, 5, true}));

}  // namespace
}  // namespace nz::analysis::test
