#include "userspace/agent/duty_cycle.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "userspace/agent/fake_probe.h"

namespace nz::agent {
namespace {

using namespace std::chrono_literals;
using Calls = std::vector<std::string>;

// One probe, and a target in slot 1 whose observation takes `share` of a core.
class DutyCycleTest : public ::testing::Test {
 protected:
  DutyCycleTest() {
    auto probe = std::make_unique<FakeProbe>(env_.env(), "stages");
    probe_ = probe.get();
    probes_.push_back(std::move(probe));
  }

  // As time goes by: it costs only while it is not paused.
  void pass(std::chrono::milliseconds time) {
    const auto end = now_ + time;
    while (now_ < end) {
      const auto next = duty_.step(slots_);
      const auto to = std::min(next, end);
      if (!paused()) cost_ += share_ * std::chrono::duration<double>(to - now_).count();
      now_ = to;
    }
  }
  [[nodiscard]] bool paused() const {
    const auto last = std::find_if(probe_->calls_.rbegin(), probe_->calls_.rend(),
                                   [](const auto& call) { return !call.starts_with("wind"); });
    return last != probe_->calls_.rend() && last->starts_with("pause");
  }
  [[nodiscard]] DutyState state() const { return duty_.states().at(1); }

  FakeEnv env_;
  std::vector<std::unique_ptr<probes::Probe>> probes_;
  FakeProbe* probe_;
  std::vector<uint32_t> slots_{1};
  DutyCycle::Clock::time_point now_{std::chrono::hours(1)};
  double share_ = 0, cost_ = 0, budget_ = 0.01;
  DutyCycle duty_{probes_, [this](uint32_t) { return cost_; }, [this](uint32_t) { return budget_; },
                  [this] { return now_; }};
};

TEST_F(DutyCycleTest, WithinTheBudgetNothingEverRests) {
  share_ = 0.008;
  pass(60s);
  EXPECT_EQ(probe_->calls_, Calls{});
  EXPECT_EQ(state().ratio, 1);
  EXPECT_NEAR(state().observed_seconds, 60, 1e-6);
}

TEST_F(DutyCycleTest, FirstLooksThenHoldsTheBudget) {
  share_ = 0.04;
  pass(260ms);
  EXPECT_EQ(probe_->calls_, (Calls{"wind_down 1", "pause 1"}));
  pass(100s - 260ms);
  EXPECT_NEAR(state().ratio, 0.0625, 0.003);
  EXPECT_NEAR(state().observed_seconds, 6.25, 0.5);
  EXPECT_LT(cost_, 1) << "1 % of 100 s";
  EXPECT_EQ(probe_->calls_[2], "resume 1");
}

TEST_F(DutyCycleTest, WhatHasBegunGetsAGraceThatIsShort) {
  share_ = 0.04;
  probe_->wound_down_ = false;
  pass(290ms);
  EXPECT_EQ(probe_->calls_, Calls{"wind_down 1"}) << "not over yet";
  pass(20ms);
  EXPECT_EQ(probe_->calls_, (Calls{"wind_down 1", "pause 1"})) << "longer than the grace";
}

TEST_F(DutyCycleTest, ObservesTheWholeTimeAgainWhenTheLoadHasGone) {
  share_ = 0.04;
  pass(20s);
  EXPECT_LT(state().ratio, 0.3);
  share_ = 0;
  pass(60s);
  EXPECT_EQ(state().ratio, 1);
  const size_t calls = probe_->calls_.size();
  EXPECT_FALSE(paused());
  pass(60s);
  EXPECT_EQ(probe_->calls_.size(), calls);
}

TEST_F(DutyCycleTest, FollowsTheBudget) {
  share_ = 0.04;
  pass(20s);
  budget_ = 0.02;
  pass(40s);
  EXPECT_NEAR(state().ratio, 0.25, 0.01);
  budget_ = -0.5;
  pass(40s);
  EXPECT_EQ(state().ratio, analysis::Duty::kLeast) << "never blind";
}

TEST_F(DutyCycleTest, SwitchedOffWhatRestsGoesOnAtOnce) {
  share_ = 0.04;
  pass(2s);
  ASSERT_TRUE(paused());
  duty_.enable(false);
  pass(1ms);
  EXPECT_FALSE(paused());
  EXPECT_EQ(state().ratio, 1);
  pass(60s);
  EXPECT_FALSE(paused());
}

TEST_F(DutyCycleTest, ATargetWhoseLastProcessEndsIsResumedForTheNextOne) {
  share_ = 0.04;
  pass(2s);
  ASSERT_TRUE(paused());
  const double observed = state().observed_seconds;
  slots_.clear();
  EXPECT_EQ(duty_.step(slots_), DutyCycle::Clock::time_point::max());
  EXPECT_FALSE(paused());
  slots_ = {1};
  duty_.step(slots_);
  EXPECT_DOUBLE_EQ(state().observed_seconds, observed) << "a counter goes on";
}

TEST_F(DutyCycleTest, ForgetsWhatRestsWhenTheProbesHaveBeenStopped) {
  share_ = 0.04;
  pass(2s);
  const double observed = state().observed_seconds;
  duty_.reset();
  duty_.step(slots_);
  EXPECT_EQ(probe_->calls_.back(), "pause 1") << "stop() and start() did the rest";
  EXPECT_DOUBLE_EQ(state().observed_seconds, observed);
  EXPECT_EQ(state().ratio, 1);
}

TEST_F(DutyCycleTest, AProbeWithoutOneIsLeftAlone) {
  probe_->has_duty_cycle_ = false;
  share_ = 0.04;
  pass(20s);
  EXPECT_EQ(probe_->calls_, Calls{});
}

}  // namespace
}  // namespace nz::agent
