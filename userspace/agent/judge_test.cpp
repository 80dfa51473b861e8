#include "userspace/agent/judge.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace nz::agent {
namespace {

// A service that makes 100 orders a second of 1 ms each, of which `waits` are spent waiting for a
// lock.
class JudgedService {
 public:
  void second(double at, double waits) {
    for (int i = 0; i < 100; i++) {
      total_->record(static_cast<uint64_t>(1e6 + waits * 1e9));
    }
    running_ += 100 * 1e-3;
    locked_ += 100 * waits;
    const auto stage = [](const std::string& component) {
      return metrics::Labels{{"target", "demo"}, {"stage", "order"}, {"component", component}};
    };
    history_->add(at,
                  {{"nearzero_order_stage_duration_seconds",
                    "",
                    metrics::Type::histogram,
                    {{{{"target", "demo"}, {"stage", "order"}},
                      0,
                      std::make_shared<analysis::Histogram>(*total_)}}},
                   {"nearzero_order_stage_component_seconds_total",
                    "",
                    metrics::Type::counter,
                    {{stage("running"), running_, nullptr}, {stage("lock"), locked_, nullptr}}}});
  }
  [[nodiscard]] const history::History& history() const { return *history_; }
  /// As an agent sees it that has just started: nothing of before is in memory.
  void forget() { history_ = std::make_unique<history::History>(history::History::Options{}); }

 private:
  std::unique_ptr<history::History> history_ =
      std::make_unique<history::History>(history::History::Options{});
  std::shared_ptr<analysis::Histogram> total_ = std::make_shared<analysis::Histogram>();
  double running_ = 0, locked_ = 0;
};

TEST(Judge, FindsWhatBeganAndSaysWhenItEnded) {
  JudgedService service;
  Judge judge;
  const analysis::Details none;
  const double start = 1'700'000'000;
  double opened = 0;
  double resolved = 0;
  for (int second = 0; second < 600; second++) {
    const bool bad = second >= 300 && second < 420;
    service.second(start + second, bad ? 3e-3 : 0);
    const auto changes = judge.step(service.history(), start + second, none);
    for (const analysis::Finding& f : changes.opened) {
      EXPECT_EQ(f.kind, "lock_contention");
      opened = second;
    }
    if (!changes.resolved.empty()) resolved = second;
    if (second < 300) EXPECT_TRUE(judge.findings().empty()) << second;
    if (second == 410) {
      ASSERT_EQ(judge.findings().size(), 1U) << "an incident is not its own reference";
      EXPECT_NEAR(judge.findings()[0].impact, 0.75, 0.08);
      std::vector<metrics::Family> out;
      judge.collect(out);
      ASSERT_EQ(out[0].samples.size(), 1U);
      EXPECT_EQ(out[0].samples[0].value, judge.findings()[0].impact);
    }
  }
  EXPECT_GE(opened, 300);
  EXPECT_LE(opened, 330) << "within 30 s of its onset";
  EXPECT_GT(resolved, 420);
  EXPECT_LE(resolved, 470);
}

TEST(Judge, FindsTheSameAgainSoonAfterItsEnd) {
  JudgedService service;
  Judge judge;
  const double start = 1'700'000'000;
  double impact = 0;
  for (int second = 0; second < 900; second++) {
    const bool bad = (second >= 300 && second < 500) || second >= 700;
    service.second(start + second, bad ? 3e-3 : 0);
    judge.step(service.history(), start + second, {});
    if (second == 800) impact = judge.findings().at(0).impact;
  }
  EXPECT_NEAR(impact, 0.75, 0.08) << "the first time is no reference for the second";
}

// 700 s as usual, then a finding: what is open at its end, and what was normal before it.
Judge with_open_finding(JudgedService& service, double start) {
  Judge judge;
  for (int second = 0; second < 760; second++) {
    service.second(start + second, second < 700 ? 0 : 3e-3);
    judge.step(service.history(), start + second, {});
  }
  EXPECT_TRUE(judge.any_open());
  EXPECT_GT(judge.reference().seconds(), 500);
  return judge;
}

TEST(Judge, WhatWasNormalIsKnownAfterARestartAsLongAsAFindingLasts) {
  JudgedService service;
  const double start = 1'700'000'000;
  const Judge before = with_open_finding(service, start);
  service.forget();
  Judge judge;
  judge.restore(before.open(), before.observed(), start + 770, before.reference());
  for (int second = 770; second < 800; second++) {
    service.second(start + second, 3e-3);
    EXPECT_TRUE(judge.step(service.history(), start + second, {}).resolved.empty()) << second;
  }
  EXPECT_TRUE(judge.any_open());
  EXPECT_GT(judge.observed(), start + 780) << "memory was judged";
  EXPECT_EQ(judge.reference().to, before.reference().to);
  EXPECT_GT(judge.reference().seconds(), 500);
  for (int second = 800; second < 1000; second++) {
    service.second(start + second, 0);
    judge.step(service.history(), start + second, {});
  }
  EXPECT_FALSE(judge.any_open());
  EXPECT_GT(judge.reference().from, start + 790) << "memory knows what is normal now";
}

TEST(Judge, OfWhatHasEndedNoReferenceIsLeft) {
  JudgedService service;
  const double start = 1'700'000'000;
  const Judge before = with_open_finding(service, start);
  Judge judge;
  const auto changes =
      judge.restore(before.open(), before.observed(), start + 5000, before.reference());
  EXPECT_EQ(changes.resolved.size(), 1U);
  EXPECT_EQ(judge.reference().seconds(), 0);
}

TEST(Judge, SaysNothingWithoutHistory) {
  const history::History history{history::History::Options{}};
  Judge judge;
  EXPECT_TRUE(judge.step(history, 1000, {}).opened.empty());
  EXPECT_TRUE(judge.findings().empty());
}

}  // namespace
}  // namespace nz::agent
