// Our alerts with a real Alertmanager between them and a person: they arrive, they survive its
// restart and ours, and their end arrives.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>

#include "tests/pipeline/alertmanager.h"
#include "userspace/alerts/service.h"
#include "userspace/base/clock.h"

namespace nz::pipeline {
namespace {

using Words = std::vector<std::string>;

/// nearzero_off is what the test says.
class Switch : public alerts::Facts {
 public:
  std::atomic<double> value{0};
  [[nodiscard]] analysis::Window window(double from, double to,
                                        const std::set<std::string>&) const override {
    analysis::Window window;
    window.from = from;
    window.to = to;
    analysis::WindowSeries series;
    series.name = "nearzero_off";
    series.value = series.least = series.most = value;
    window.series.push_back(series);
    return window;
  }
};

class AlertmanagerPipeline : public ::testing::Test {
 protected:
  void SetUp() override {
    rules_ = live::temporary_file("rules.yaml",
                                  "receivers:\n"
                                  "  - name: am\n"
                                  "    alertmanager: {urls: ['" +
                                      alertmanager.url() +
                                      "'], resend: 2s}\n"
                                      "    timeout: 1s\n"
                                      "rules:\n"
                                      "  - name: OrdersSlow\n"
                                      "    threshold: {series: nearzero_off, above: 0}\n"
                                      "    keep_firing_for: 0s\n"
                                      "    severity: critical\n"
                                      "    annotations: {summary: 'value {{ value }}'}\n");
    state_ = live::temporary_file("alerts", "") + ".json";
  }
  [[nodiscard]] std::unique_ptr<alerts::Service> agent() const {
    alerts::Service::Options options;
    options.rule_files = {rules_};
    options.state_file = state_;
    options.url = "http://agent.example:9718";
    return std::make_unique<alerts::Service>(options);
  }
  void step(alerts::Service& service) { service.step(facts, unix_seconds()); }
  bool told(const Words& words, double seconds = 30) {
    const bool yes = live::eventually([&] { return listener.told() == words; }, seconds);
    if (!yes) ADD_FAILURE() << "told: " << ::testing::PrintToString(listener.told());
    return yes;
  }

  Listener listener;
  Alertmanager alertmanager{listener};
  Switch facts;

 private:
  std::string rules_, state_;
};

TEST_F(AlertmanagerPipeline, AnAlertArrivesAndSoDoesItsEnd) {
  const auto service = agent();
  facts.value = 7;
  step(*service);
  ASSERT_TRUE(told({"firing OrdersSlow"}));
  const auto alert = listener.last();
  EXPECT_EQ(alert["labels"]["severity"], "critical");
  EXPECT_EQ(alert["annotations"]["summary"], "value 7");
  EXPECT_EQ(alert["generatorURL"], "http://agent.example:9718");
  facts.value = 0;
  step(*service);
  EXPECT_TRUE(told({"firing OrdersSlow", "resolved OrdersSlow"}));
}

TEST_F(AlertmanagerPipeline, ARestartOfEitherLosesNothing) {
  auto service = agent();
  facts.value = 1;
  step(*service);
  ASSERT_TRUE(told({"firing OrdersSlow"}));

  // Alertmanager: it comes back without the alert, and gets it again.
  alertmanager.stop();
  step(*service);
  live::sleep_seconds(3);
  alertmanager.start();
  ASSERT_TRUE(live::eventually([&] { return alertmanager.alerts().size() == 1; }, 60));

  // We: nothing is told twice, and the alert goes on.
  service.reset();
  service = agent();
  step(*service);
  live::sleep_seconds(3);
  EXPECT_EQ(service->alerts().size(), 1U);
  EXPECT_EQ(listener.told(), (Words{"firing OrdersSlow"})) << "told once";

  // It ends while Alertmanager is away, and we are restarted before it is back.
  alertmanager.stop();
  facts.value = 0;
  step(*service);
  live::sleep_seconds(1);
  service.reset();
  service = agent();
  step(*service);
  alertmanager.start();
  EXPECT_TRUE(told({"firing OrdersSlow", "resolved OrdersSlow"}, 90));
}

// The end was delivered, and Alertmanager is restarted before it has told anybody.
TEST_F(AlertmanagerPipeline, AnEndThatItForgotIsToldAgain) {
  const auto service = agent();
  facts.value = 1;
  step(*service);
  ASSERT_TRUE(told({"firing OrdersSlow"}));
  facts.value = 0;
  step(*service);
  alertmanager.stop();
  alertmanager.start();
  EXPECT_TRUE(told({"firing OrdersSlow", "resolved OrdersSlow"}, 90));
}

TEST_F(AlertmanagerPipeline, WhatStopsBeingSentEndsByItself) {
  {
    const auto service = agent();
    facts.value = 1;
    step(*service);
    ASSERT_TRUE(told({"firing OrdersSlow"}));
  }
  // Nobody sends any more: after four times `resend` Alertmanager takes it for resolved.
  EXPECT_TRUE(told({"firing OrdersSlow", "resolved OrdersSlow"}, 40));
}

}  // namespace
}  // namespace nz::pipeline
