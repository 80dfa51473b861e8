// Rules of degradation on real histories: the shipped one by the hour of the week, and one by name.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "userspace/alerts/engine.h"
#include "userspace/alerts/history_facts.h"
#include "userspace/alerts/rule_file.h"
#include "userspace/baselines/named.h"
#include "userspace/baselines/named_values.h"
#include "userspace/baselines/test_days.h"
#include "userspace/history/test_families.h"
#include "userspace/store/test_store.h"

namespace nz::baselines {
namespace {

using store::testing::Folder;
using store::testing::open_store;
using testing::Days;
using testing::kDay;
using testing::kHour;
using testing::kMonday;
using testing::kOrders;
using testing::usual_seconds;

const analysis::Labels kRisk{{"target", "demo"}, {"stage", "risk"}};

std::vector<alerts::Rule> shipped(const std::string& name) {
  std::ifstream in(std::string(NZ_SOURCE) + "/configs/alerts.yaml");
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  alerts::RuleFile file = alerts::parse_rules(text, "configs/alerts.yaml");
  std::erase_if(file.rules, [&](const alerts::Rule& rule) { return rule.name != name; });
  return std::move(file.rules);
}

/// Ten minutes of orders that all take `seconds`, judged each 10 s; what fires at the end.
class Orders {
 public:
  Orders(std::vector<alerts::Rule> rules, alerts::HistoryFacts::Baseline baseline)
      : facts_(history_) {
    engine_.set_rules(std::move(rules));
    facts_.set_baseline(std::move(baseline));
  }
  std::vector<alerts::Alert> run(double from, double seconds) {
    const auto ns = static_cast<std::uint64_t>(seconds * 1e9);
    for (double at = from; at < from + 600; at += 10) {
      for (int i = 0; i < 200; i++) all_.record(ns);
      history_.add(at, {history::testing::histogram(kOrders, all_, kRisk)});
      engine_.step(facts_, at);
    }
    auto alerts = engine_.alerts();
    std::erase_if(alerts, [](const alerts::Alert& a) { return a.state != alerts::State::firing; });
    return alerts;
  }
  [[nodiscard]] const alerts::Engine& engine() const { return engine_; }

 private:
  history::History history_{{.resolution = 10, .length = 3600}};
  alerts::HistoryFacts facts_;
  alerts::Engine engine_;
  analysis::Histogram all_;
};

alerts::HistoryFacts::Baseline asking(const Usual& usual) {
  return [&usual](const analysis::Quantity& of, const std::string& name, double at) {
    return name == "hour_of_week" ? usual.value(of, at) : std::nullopt;
  };
}

TEST(Rules, TheShippedOneFiresAgainstTheHourOfTheWeek) {
  const auto rules = shipped("OrderPathSlow");
  ASSERT_EQ(rules.size(), 1U);
  const Folder folder;
  auto store = open_store({.path = folder.file()});
  Days days(*store);
  const double friday = kMonday + 4 * kDay + 10 * kHour;
  days.run(kMonday, friday);
  const double begin = friday + 600;

  Orders usual(rules, asking(days.usual));
  EXPECT_TRUE(usual.run(begin, 1.2 * usual_seconds(begin)).empty());
  EXPECT_TRUE(usual.engine().unknown().empty()) << usual.engine().unknown()[0].why;

  Orders slow(rules, asking(days.usual));
  const auto alerts = slow.run(begin, 4 * usual_seconds(begin));
  ASSERT_EQ(alerts.size(), 1U);
  EXPECT_EQ(alerts[0].rule, "OrderPathSlow");
  EXPECT_NEAR(alerts[0].value / usual_seconds(begin), 4, 0.4);
}

TEST(Rules, TheShippedOneIsSilentWhileThereIsTooLittlePast) {
  const Folder folder;
  auto store = open_store({.path = folder.file()});
  Days days(*store);
  const double tuesday = kMonday + kDay + 10 * kHour;
  days.run(kMonday, tuesday);
  Orders slow(shipped("OrderPathSlow"), asking(days.usual));
  EXPECT_TRUE(slow.run(tuesday + 600, 4 * usual_seconds(tuesday)).empty());
  ASSERT_FALSE(slow.engine().unknown().empty()) << "and says why";
  EXPECT_NE(slow.engine().unknown()[0].why.find("no baseline 'hour_of_week'"), std::string::npos);
}

TEST(Rules, ANamedOneIsTheMeasureOfWhatCameAfter) {
  const Folder folder;
  auto store = open_store({.path = folder.file()});
  // Two minutes of 1 ms, on disk.
  analysis::Histogram h;
  for (int s = 0; s <= 240; s += 10) {
    for (int i = 0; i < 100; i++) h.record(1'000'000);
    store::testing::add(*store, kMonday + s, {history::testing::histogram(kOrders, h, kRisk)});
    ASSERT_TRUE(store->flush());
  }
  auto reader = store::Reader::open(folder.file());
  ASSERT_TRUE(reader);
  const auto slices = slices_of(**reader, kMonday, kMonday + 240);
  ASSERT_TRUE(slices);
  ASSERT_TRUE(keep(folder.file(), analysis::baseline_of("release-1.4", *slices), kMonday, false));

  NamedValues named(*store);
  const auto rules = alerts::parse_rules(
      "rules:\n"
      "  - name: SlowerThanRelease\n"
      "    degradation: {series: nearzero_order_stage_duration_seconds, statistic: p50,\n"
      "                  baseline: release-1.4, above: 1.5x, window: 1m}\n"
      "    annotations: {summary: '{{ value }}, {{ factor }} of {{ usual }} in {{ baseline }}'}\n",
      "f");
  ASSERT_TRUE(rules.problems.empty()) << rules.problems[0];
  const auto asking_named = [&named](const analysis::Quantity& of, const std::string& name,
                                     double) { return named.value(of, name); };
  Orders first(rules.rules, asking_named);
  EXPECT_TRUE(first.run(kMonday + kDay, 2e-3).empty()) << "nobody has read it yet";
  named.refresh();
  Orders slow(rules.rules, asking_named);
  EXPECT_EQ(slow.run(kMonday + kDay, 2e-3).size(), 1U);
  Orders same(rules.rules, asking_named);
  EXPECT_TRUE(same.run(kMonday + kDay, 1.1e-3).empty());
}

}  // namespace
}  // namespace nz::baselines
