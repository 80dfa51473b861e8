#include "analysis/bottlenecks/weigh.h"

#include <gtest/gtest.h>

#include "analysis/bottlenecks/scene.h"

namespace nz::analysis::test {
namespace {

// 1,000 us an order, of which 400 runnable, 200 lock and 100 disk; before 300 us of work.
class Weigh : public ::testing::Test {
 protected:
  Weigh() {
    Scene sick, healthy;
    healthy.us = {{"signal", {{"running", 300}}}};
    sick.us = {{"signal", {{"running", 300}, {"runnable", 400}, {"lock", 200}, {"disk", 100}}}};
    now_ = sick.window();
    before_ = healthy.window();
    now_index_ = std::make_unique<WindowIndex>(now_);
    before_index_ = std::make_unique<WindowIndex>(before_);
    path_ = std::make_unique<OrderPath>("demo", *now_index_, *before_index_, rules_);
  }

  static Candidate of(const std::string& kind, Component component, double us) {
    Candidate c;
    c.finding.kind = kind;
    c.finding.id = kind + "/demo";
    c.claims = {{component, us * 1e-6}};
    return c;
  }

  std::vector<Finding> weigh(std::vector<Candidate> candidates) {
    const Context context{*now_index_, *before_index_, details_, rules_};
    auto found = nz::analysis::weigh(context, *path_, std::move(candidates));
    rank(found);
    return found;
  }

  Rules rules_;
  Details details_;
  Window now_, before_;
  std::unique_ptr<WindowIndex> now_index_, before_index_;
  std::unique_ptr<OrderPath> path_;
};

TEST_F(Weigh, ImpactIsTheShareOfTheOrder) {
  const auto found = weigh({of("a", Component::lock, 200)});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_NEAR(found[0].impact, 0.2, 1e-9);
  EXPECT_NEAR(found[0].impact_seconds, 200e-6, 1e-12);
  EXPECT_EQ(found[0].severity, Severity::warning);
}

TEST_F(Weigh, NobodyGetsMoreThanThereIs) {
  const auto found = weigh({of("a", Component::lock, 5'000)});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_NEAR(found[0].impact, 0.2, 1e-9);
}

TEST_F(Weigh, TwoClaimsOnOnePartShareIt) {
  const auto found =
      weigh({of("a", Component::runnable, 400), of("b", Component::runnable, 1'200)});
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].kind, "b");
  EXPECT_NEAR(found[0].impact, 0.3, 1e-9);
  EXPECT_NEAR(found[1].impact, 0.1, 1e-9);
}

TEST_F(Weigh, TooLittleIsNotTold) { EXPECT_TRUE(weigh({of("a", Component::disk, 90)}).empty()); }

TEST_F(Weigh, TooLittleIsToldWhereItHasTo) {
  Candidate c = of("a", Component::disk, 0);
  c.always = true;
  c.least_severity = Severity::critical;
  const auto found = weigh({c});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].impact, 0);
  EXPECT_EQ(found[0].severity, Severity::critical);
}

TEST_F(Weigh, AnEffectGoesAndItsClaimsWithIt) {
  Candidate cause = of("cause", Component::runnable, 400);
  cause.explains = {{"effect", 0.9}};
  const auto found = weigh({of("effect", Component::lock, 200), cause});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].kind, "cause");
  EXPECT_NEAR(found[0].impact, 0.6, 1e-9);
}

TEST_F(Weigh, LessThanHalfExplainedIsACauseOfItsOwn) {
  Candidate cause = of("cause", Component::runnable, 400);
  cause.explains = {{"effect", 0.49}};
  EXPECT_EQ(weigh({of("effect", Component::lock, 200), cause}).size(), 2U);
}

TEST_F(Weigh, AChainLeadsToItsFirstCause) {
  Candidate a = of("a", Component::runnable, 400), b = of("b", Component::lock, 200);
  a.explains = {{"b", 1}};
  b.explains = {{"c", 1}};
  for (const auto& order : {std::vector<Candidate>{a, b, of("c", Component::disk, 100)},
                            std::vector<Candidate>{of("c", Component::disk, 100), b, a}}) {
    const auto found = weigh(order);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].kind, "a");
    EXPECT_NEAR(found[0].impact, 0.7, 1e-9);
  }
}

TEST_F(Weigh, ACircleLeavesOne) {
  Candidate a = of("a", Component::runnable, 400), b = of("b", Component::lock, 200),
            c = of("c", Component::disk, 100);
  a.explains = {{"b", 1}};
  b.explains = {{"c", 1}};
  c.explains = {{"a", 1}};
  EXPECT_EQ(weigh({a, b, c}).size(), 1U);
  EXPECT_EQ(weigh({c, a, b}).size(), 1U);
}

TEST_F(Weigh, TheRestIsWhatOthersLeave) {
  Candidate rest = of("rest", Component::runnable, 400);
  rest.residual = true;
  const auto found = weigh({rest, of("a", Component::runnable, 250)});
  ASSERT_EQ(found.size(), 2U);
  EXPECT_NEAR(found[0].impact, 0.25, 1e-9);
  EXPECT_EQ(found[1].kind, "rest");
  EXPECT_NEAR(found[1].impact, 0.15, 1e-9);
}

TEST_F(Weigh, LeastSecondsMustBeLeft) {
  Candidate rest = of("rest", Component::runnable, 400);
  rest.residual = true;
  rest.least_seconds = 160e-6;
  EXPECT_EQ(weigh({rest, of("a", Component::runnable, 250)}).size(), 1U);
  rest.least_seconds = 140e-6;
  EXPECT_EQ(weigh({rest, of("a", Component::runnable, 250)}).size(), 2U);
}

TEST_F(Weigh, FailedOrdersAreAnImpact) {
  Candidate c = of("errors", Component::disk, 0);
  c.always = true;
  c.failed = 0.7;
  const auto found = weigh({c, of("a", Component::lock, 200)});
  EXPECT_EQ(found[0].kind, "errors");
  EXPECT_NEAR(found[0].impact, 0.7, 1e-9);
  EXPECT_EQ(found[0].severity, Severity::critical);
}

TEST_F(Weigh, SymptomsMakeItSurer) {
  Candidate sure = of("sure", Component::lock, 100), plain = of("plain", Component::lock, 100);
  sure.symptoms = {true, true};
  plain.symptoms = {false, false};
  const auto found = weigh({plain, sure});
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].kind, "sure") << "of equals the surer first";
  EXPECT_NEAR(found[0].confidence, 0.84, 1e-9);
  EXPECT_NEAR(found[1].confidence, 0.6, 1e-9);
}

TEST_F(Weigh, EvidenceBeginsWithTheOrder) {
  const auto found = weigh({of("a", Component::lock, 200)});
  ASSERT_EQ(found[0].evidence.size(), 1U);
  EXPECT_EQ(found[0].evidence[0].text, "lock: 200 us of 1 ms per order (before: 0 us of 300 us)");
  EXPECT_EQ(found[0].evidence[0].series,
            R"(nearzero_order_stage_component_seconds_total{target="demo",component="lock"})");
}

TEST(Rank, ImpactThenSeverityThenConfidenceThenName) {
  const auto make = [](const char* id, double impact, Severity severity, double confidence) {
    Finding f;
    f.id = id;
    f.impact = impact;
    f.severity = severity;
    f.confidence = confidence;
    return f;
  };
  std::vector<Finding> all = {
      make("e", 0, Severity::info, 0.9),      make("d", 0, Severity::critical, 0.5),
      make("c", 0.2, Severity::warning, 0.5), make("b", 0.2, Severity::warning, 0.8),
      make("a", 0.2, Severity::warning, 0.5), make("z", 0.9, Severity::critical, 0.4)};
  rank(all);
  std::string order;
  for (const Finding& f : all) order += f.id;
  EXPECT_EQ(order, "zbacde");
}

}  // namespace
}  // namespace nz::analysis::test
