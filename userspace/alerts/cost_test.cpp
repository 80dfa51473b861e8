// What judging the shipped rules costs on an hour of a busy host's history.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>

#include "userspace/alerts/catalog.h"
#include "userspace/alerts/engine.h"
#include "userspace/alerts/history_facts.h"
#include "userspace/alerts/rule_file.h"
#include "userspace/history/history.h"

namespace nz::alerts {
namespace {

/// Every family there is, `each` series of it, as of step `i`.
std::vector<metrics::Family> families(int each, int i) {
  std::vector<metrics::Family> all;
  for (const CatalogEntry& entry : catalog()) {
    metrics::Family family{entry.full_name(), "h", entry.type, {}};
    for (int s = 0; s < (entry.labels.empty() ? 1 : each); s++) {
      metrics::Sample sample;
      for (const std::string& label : entry.label_names())
        sample.labels.emplace_back(label, label + std::to_string(s));
      sample.value = entry.type == metrics::Type::counter ? i * 10 : 1;
      if (entry.type == metrics::Type::histogram) {
        analysis::Histogram h;
        for (std::size_t b = 60; b < 120; b++) h.buckets[b] = static_cast<std::uint64_t>(i) * b;
        sample.histogram = std::make_shared<const analysis::Histogram>(h);
      }
      family.samples.push_back(std::move(sample));
    }
    all.push_back(std::move(family));
  }
  return all;
}

TEST(Cost, OfTheShippedRules) {
  using Clock = std::chrono::steady_clock;
  const RuleFile file = load_rules({std::string(NZ_SOURCE) + "/configs/alerts.yaml"});
  ASSERT_TRUE(file.problems.empty());
  history::History history(history::History::Options{});
  constexpr int kPoints = 360;
  std::size_t series = 0;
  for (int i = 0; i < kPoints; i++) {
    const auto now = families(16, i);
    series = 0;
    for (const auto& family : now) series += family.samples.size();
    history.add(1'764'255'600 + 10 * i, now);
  }
  Engine engine;
  engine.set_rules(file.rules);
  const HistoryFacts facts(history);
  constexpr int kSteps = 30;
  const auto start = Clock::now();
  // Always the newest moment: the window of an hour is read again each time that it would be.
  for (int i = 0; i < kSteps; i++) engine.step(facts, 1'764'255'600 + 10 * (kPoints - kSteps + i));
  const double each = std::chrono::duration<double>(Clock::now() - start).count() / kSteps;
  std::printf("%zu rules on %zu series: %.2f ms a step, %.3f %% of a core at one each 10 s\n",
              file.rules.size(), series, each * 1e3, each / 10 * 100);
  EXPECT_LT(each, 5);
  std::printf("saved: %zu bytes for %zu alerts\n", engine.save().size(), engine.alerts().size());
}

}  // namespace
}  // namespace nz::alerts
