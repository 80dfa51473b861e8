#include "userspace/agent/ledger.h"

#include <gtest/gtest.h>

#include "userspace/agent/fake_probe.h"

namespace nz::agent {
namespace {

using probes::HitKind;

class LedgerTest : public ::testing::Test {
 protected:
  LedgerTest() {
    auto stages = std::make_unique<FakeProbe>(env_.env(), "stages");
    auto sqlite = std::make_unique<FakeProbe>(env_.env(), "sqlite");
    stages_ = stages.get();
    sqlite_ = sqlite.get();
    probes_.push_back(std::move(stages));
    probes_.push_back(std::move(sqlite));
  }

  // 1,000 ns a uprobe, 10,000 ns a single-stepped one; 10 % of a core for 3 s.
  static Ledger ledger() {
    config::Overhead overhead;
    overhead.per_target = 0.01;
    overhead.breaker_factor = 10;
    overhead.breaker_seconds = 3;
    return {overhead,
            observe::Prices{{{HitKind::uprobe, 1000}, {HitKind::uprobe_stepped, 10000}}, {}}};
  }

  FakeEnv env_;
  std::vector<std::unique_ptr<probes::Probe>> probes_;
  FakeProbe* stages_;
  FakeProbe* sqlite_;
};

TEST_F(LedgerTest, CostIsHitsTimesPrice) {
  Ledger l = ledger();
  stages_->costs_ = {
      {1, HitKind::uprobe, 5000}, {1, HitKind::uprobe_stepped, 100}, {2, HitKind::uprobe, 7}};
  l.update(probes_, 1);
  EXPECT_DOUBLE_EQ(l.seconds().at({"stages", 1}), 0.005 + 0.001);
  EXPECT_DOUBLE_EQ(l.seconds().at({"stages", 2}), 7e-6);
  EXPECT_FALSE(l.seconds().contains({"sqlite", 1})) << "no hits, no row";
}

TEST_F(LedgerTest, ShareIsWhatGrewByTimeThatPassed) {
  Ledger l = ledger();
  stages_->costs_ = {{1, HitKind::uprobe, 10'000}};
  l.update(probes_, 1);
  EXPECT_DOUBLE_EQ(l.share().at({"stages", 1}), 0.01);
  stages_->costs_ = {{1, HitKind::uprobe, 50'000}};
  l.update(probes_, 2);
  EXPECT_DOUBLE_EQ(l.share().at({"stages", 1}), 0.02);
  l.update(probes_, 1);
  EXPECT_DOUBLE_EQ(l.share().at({"stages", 1}), 0);
  EXPECT_DOUBLE_EQ(l.seconds().at({"stages", 1}), 0.05);
}

TEST_F(LedgerTest, NoTimeNoShare) {
  Ledger l = ledger();
  stages_->costs_ = {{1, HitKind::uprobe, 10'000}};
  l.update(probes_, 0);
  EXPECT_DOUBLE_EQ(l.share().at({"stages", 1}), 0);
}

TEST_F(LedgerTest, AKindWithoutAPriceCostsNothing) {
  Ledger l = ledger();
  stages_->costs_ = {{1, HitKind::with_return, 1'000'000}};
  EXPECT_TRUE(l.update(probes_, 1).empty());
  EXPECT_TRUE(l.seconds().empty());
}

TEST_F(LedgerTest, TripsWhoIsOverTheLimitForThreeSecondsAndNobodyElse) {
  Ledger l = ledger();
  uint64_t hits = 0;
  const auto second = [&] {
    hits += 110'000;  // 11 % of a core
    stages_->costs_ = {{1, HitKind::uprobe, hits}, {2, HitKind::uprobe, hits / 2}};
    sqlite_->costs_ = {{1, HitKind::uprobe, hits / 2}};
    return l.update(probes_, 1);
  };
  EXPECT_TRUE(second().empty());
  EXPECT_TRUE(second().empty());
  const auto tripped = second();
  ASSERT_EQ(tripped.size(), 1U);
  EXPECT_EQ(tripped[0], (analysis::Breaker::Key{"stages", 1}));
  EXPECT_TRUE(l.breaker().tripped({"stages", 1}));
  EXPECT_NEAR(l.breaker().tripped().at({"stages", 1}), 0.11, 1e-9);
  EXPECT_TRUE(second().empty()) << "said once";
}

TEST_F(LedgerTest, AChangedBudgetHoldsFromNowOn) {
  Ledger l = ledger();
  config::Overhead tight;
  tight.per_target = 0.001;
  tight.breaker_factor = 10;
  tight.breaker_seconds = 1;
  l.set_budget(tight);
  stages_->costs_ = {{1, HitKind::uprobe, 20'000}};  // 2 % of a core
  EXPECT_EQ(l.update(probes_, 1).size(), 1U);
}

TEST_F(LedgerTest, WhatCanBePausedIsCountedUntilNow) {
  Ledger l = ledger();
  stages_->costs_ = {{1, HitKind::uprobe, 5000}, {2, HitKind::uprobe, 1}};
  sqlite_->costs_ = {{1, HitKind::uprobe_stepped, 100}, {1, HitKind::with_return, 100}};
  EXPECT_DOUBLE_EQ(l.pausable_seconds(probes_, 1), 0.006) << "a kind without a price costs nothing";
  sqlite_->has_duty_cycle_ = false;
  EXPECT_DOUBLE_EQ(l.pausable_seconds(probes_, 1), 0.005);
  EXPECT_DOUBLE_EQ(l.pausable_seconds(probes_, 3), 0);
}

TEST_F(LedgerTest, WhatIsLeftOfBothBudgets) {
  Ledger l = ledger();
  config::Overhead budget;
  budget.per_target = 0.02;  // it aims at half
  budget.host = 0.04;
  l.set_budget(budget);
  EXPECT_DOUBLE_EQ(l.budget_left(probes_, 1, 1, 4), 0.01) << "its own";
  EXPECT_DOUBLE_EQ(l.budget_left(probes_, 1, 16, 4), 0.005) << "its part of 0.02 * 4";
  EXPECT_DOUBLE_EQ(l.budget_left(probes_, 1, 0, 4), 0.01);
  stages_->has_duty_cycle_ = false;  // as the scheduler: 0.4 % for the target, 2 % for the host
  stages_->costs_ = {{1, HitKind::uprobe, 4'000}, {0, HitKind::uprobe, 20'000}};
  sqlite_->costs_ = {{1, HitKind::uprobe, 900'000}};
  l.update(probes_, 1);
  EXPECT_DOUBLE_EQ(l.budget_left(probes_, 1, 1, 4), 0.008);
  EXPECT_DOUBLE_EQ(l.budget_left(probes_, 2, 1, 4), 0.01);
  EXPECT_DOUBLE_EQ(l.budget_left(probes_, 1, 16, 4), (0.16 - 0.024) / 16 / 2);
}

TEST_F(LedgerTest, EveryHitKindHasAnEstimate) {
  const observe::Prices prices = observe::estimated_prices();
  for (const HitKind kind :
       {HitKind::context_switch, HitKind::syscall_target, HitKind::syscall_other,
        HitKind::lifecycle, HitKind::uprobe, HitKind::uprobe_stepped, HitKind::with_return,
        HitKind::with_return_stepped, HitKind::returned, HitKind::block_request, HitKind::tcp_event,
        HitKind::socket_idle, HitKind::profile_sample, HitKind::profile_other}) {
    ASSERT_TRUE(prices.ns.contains(kind));
    EXPECT_GT(prices.ns.at(kind), 0);
  }
  EXPECT_GT(prices.ns.at(HitKind::uprobe_stepped), 3 * prices.ns.at(HitKind::uprobe));
  EXPECT_TRUE(prices.measured.empty());
}

}  // namespace
}  // namespace nz::agent
