#include "userspace/agent/alerting.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "userspace/base/test_eventually.h"
#include "userspace/history/test_families.h"
#include "userspace/rest/fake_source.h"
#include "userspace/store/test_store.h"

namespace nz::agent {
namespace {

using history::testing::gauge;
using rest::testing::kStart;

class Figures : public rest::Source {
 public:
  void set(double from, double to, double value) {
    for (double at = from; at <= to; at += 10) history_.add(at, {gauge("nearzero_off", value)});
  }
  /// Called with each window that a look wants, by its thread.
  std::function<void()> asked;

  [[nodiscard]] const history::History& history() const override { return history_; }
  [[nodiscard]] analysis::Window window(double from, double to,
                                        const history::History::Filter& filter) const override {
    if (asked) asked();
    return Source::window(from, to, filter);
  }
  [[nodiscard]] std::shared_ptr<const rest::View> view() const override { return nullptr; }

 private:
  history::History history_{{.resolution = 10, .length = 3600}};
};

class AlertingTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::ofstream(folder_.file("rules.yaml"))
        << "rules:\n  - {name: Off, threshold: {series: nearzero_off, above: 0}, "
           "keep_firing_for: 0s}\n";
  }

  [[nodiscard]] alerts::Service::Options options() const {
    alerts::Service::Options o;
    o.rule_files = {folder_.file("rules.yaml")};
    return o;
  }
  static void look(Alerting& alerting, double at) { alerting.look({at, {}, {}, {}, {}}); }
  static std::size_t firing(const Alerting& alerting) {
    std::size_t n = 0;
    for (const report::Alert& a : *alerting.alerts()) n += a.until == 0 ? 1 : 0;
    return n;
  }

  static double figure(const Alerting& alerting, const std::string& name) {
    std::vector<metrics::Family> families;
    alerting.collect(families);
    for (const metrics::Family& f : families) {
      if (f.name == name) return f.samples.at(0).value;
    }
    return -1;
  }

  const store::testing::Folder folder_;
  Figures figures_;
};

struct NoStandardException {};

/// Holds looks until it is opened.
class Gate {
 public:
  void pass() {
    if (!closed_) return;
    held_ = true;
    closed_.wait(true);
  }
  void close() { closed_ = true; }
  void open() {
    closed_ = false;
    closed_.notify_all();
  }
  [[nodiscard]] bool holds() const { return held_; }

 private:
  std::atomic<bool> closed_ = false, held_ = false;
};

TEST_F(AlertingTest, FiresEndsAndIsRememberedOverARestart) {
  const auto store = store::testing::open_store({.path = folder_.file()});
  ASSERT_NE(store, nullptr);
  {
    Alerting alerting(options(), figures_, store.get());
    EXPECT_TRUE(alerting.due(kStart));
    figures_.set(kStart, kStart + 600, 1);
    look(alerting, kStart + 600);
    EXPECT_FALSE(alerting.due(kStart + 605));
    ASSERT_TRUE(eventually([&] { return firing(alerting) == 1; }));
    figures_.set(kStart + 610, kStart + 1200, 0);
    for (double at = kStart + 1200; at <= kStart + 1260; at += 10) {
      look(alerting, at);
      if (eventually([&] { return firing(alerting) == 0; })) break;
    }
    ASSERT_EQ(alerting.alerts()->size(), 1U) << "for reports, though nobody asks the engine";
    EXPECT_EQ(alerting.alerts()->front().rule, "Off");
    EXPECT_GT(alerting.alerts()->front().until, alerting.alerts()->front().since);
  }
  const Alerting again(options(), figures_, store.get());
  ASSERT_EQ(again.alerts()->size(), 1U);
  EXPECT_EQ(again.alerts()->front().rule, "Off");
}

TEST_F(AlertingTest, ALookThatFailsIsCountedAndEndsNothing) {
  std::atomic<bool> fails = true;
  figures_.asked = [&fails] {
    if (fails) throw NoStandardException{};
  };
  figures_.set(kStart, kStart + 600, 1);
  Alerting alerting(options(), figures_, nullptr);
  look(alerting, kStart + 600);
  ASSERT_TRUE(
      eventually([&] { return figure(alerting, "nearzero_alert_step_errors_total") == 1; }));
  fails = false;
  look(alerting, kStart + 610);
  EXPECT_TRUE(eventually([&] { return firing(alerting) == 1; }));
}

// Before, each of these waited until the look was over: here for ever.
TEST_F(AlertingTest, NobodyWaitsForALook) {
  Gate gate;
  figures_.asked = [&gate] { gate.pass(); };
  figures_.set(kStart, kStart + 600, 1);
  Alerting alerting(options(), figures_, nullptr);
  look(alerting, kStart + 600);
  EXPECT_TRUE(eventually([&] { return firing(alerting) == 1; }));
  gate.close();
  look(alerting, kStart + 610);
  EXPECT_TRUE(eventually([&] { return gate.holds(); }));

  EXPECT_TRUE(alerting.command(R"(silence add {"matchers":"alertname=\"Off\"","seconds":60})"));
  const std::string list = alerting.command("alerts").value_or("");
  EXPECT_THAT(list, ::testing::HasSubstr(R"("rule":"Off")"));
  EXPECT_THAT(list, ::testing::HasSubstr(R"("silenced_by":"s1")"));
  std::ofstream(folder_.file("rules.yaml"))
      << "rules:\n  - {name: Off, threshold: {series: nearzero_off, above: 0}}\n"
         "  - {name: Also, threshold: {series: nearzero_off, above: 0}}\n";
  alerting.reload({folder_.file("rules.yaml")});
  EXPECT_EQ(alerting.rules().size(), 2U);
  EXPECT_EQ(figure(alerting, "nearzero_alert_rules"), 2);
  EXPECT_EQ(figure(alerting, "nearzero_alert_silences"), 1);
  EXPECT_EQ(firing(alerting), 1U) << "as of the last look";
  gate.open();

  look(alerting, kStart + 620);
  EXPECT_TRUE(eventually([&] { return firing(alerting) == 2; })) << "the new rules are looked at";
}

TEST_F(AlertingTest, ItsEndIsNotWaitedFor) {
  Gate gate;
  figures_.asked = [&gate] { gate.pass(); };
  figures_.set(kStart, kStart + 600, 1);
  auto alerting = std::make_unique<Alerting>(options(), figures_, nullptr);
  gate.close();
  look(*alerting, kStart + 600);
  EXPECT_TRUE(eventually([&] { return gate.holds(); }));
  std::jthread end = Alerting::retire(std::move(alerting));
  gate.open();
  end.join();
}

TEST_F(AlertingTest, TellsOfItselfAndAnswers) {
  Alerting alerting(options(), figures_, nullptr);
  std::vector<metrics::Family> families;
  alerting.collect(families);
  const auto has = [&](const std::string& name) {
    return std::any_of(families.begin(), families.end(),
                       [&](const metrics::Family& f) { return f.name == name; });
  };
  EXPECT_TRUE(has("nearzero_alert_rules"));
  EXPECT_TRUE(has("nearzero_alert_step_errors_total"));
  EXPECT_EQ(alerting.rules().size(), 1U);
  EXPECT_TRUE(alerting.command("alerts"));
  EXPECT_FALSE(alerting.command("status"));
  std::ofstream(folder_.file("rules.yaml")) << "rules: []\n";
  alerting.reload({folder_.file("rules.yaml")});
  EXPECT_TRUE(alerting.rules().empty());
}

}  // namespace
}  // namespace nz::agent
