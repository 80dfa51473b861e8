// What a restarted agent knows of the findings of the one before it.
#include "userspace/agent/finding_memory.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "userspace/agent/finding_state.h"
#include "userspace/store/test_store.h"

namespace nz::agent {
namespace {

constexpr double kStart = 1'764'000'000;
const store::testing::FamilyList kDrain = {store::testing::gauge("nearzero_off", 0)};

analysis::Finding finding(double since) {
  analysis::Finding f;
  f.id = "lock_contention/demo";
  f.kind = "lock_contention";
  f.target = "demo";
  f.impact = 0.7;
  f.since = since;
  return f;
}

class FindingMemoryTest : public testing::Test {
 protected:
  void put(const std::string& state) const { ASSERT_TRUE(store_->put_state("findings", state)); }
  [[nodiscard]] SavedFindings kept() const {
    return restore_findings(store_->get_state("findings").value_or("")).value_or(SavedFindings{});
  }

  const store::testing::Folder folder_;
  const std::unique_ptr<store::Store> store_ = store::testing::open_store({.path = folder_.file()});
};

TEST_F(FindingMemoryTest, AFindingGoesOnWithItsTimeAndItsReference) {
  for (int drain = 0; drain <= 70; drain++) {
    store::testing::add(*store_, kStart + 10.0 * drain, kDrain);
    if (drain % 4 == 3) store::testing::save(*store_);
  }
  store::testing::save(*store_);
  const double since = kStart + 610;
  put(save_findings({kStart + 700, kStart + 20, kStart + 600, {{finding(since), finding(since)}}}));
  Judge judge;
  FindingMemory(*store_).restore(judge, kStart + 730);
  ASSERT_EQ(judge.findings().size(), 1U);
  EXPECT_EQ(judge.findings()[0].state, analysis::FindingState::ongoing);
  EXPECT_EQ(judge.findings()[0].since, since);
  EXPECT_EQ(kept().open.size(), 1U);
  EXPECT_EQ(kept().seen, kStart + 700) << "a start is no look";
  EXPECT_GT(judge.reference().seconds(), 500);
  EXPECT_LE(judge.reference().to, kStart + 611) << "what was normal, not what is now";
}

TEST_F(FindingMemoryTest, WhatIsOldHasEndedOnce) {
  put(save_findings({kStart, 0, 0, {{finding(kStart - 50), finding(kStart - 50)}}}));
  Judge judge;
  FindingMemory(*store_).restore(judge, kStart + 3600);
  ASSERT_EQ(judge.findings().size(), 1U);
  EXPECT_EQ(judge.findings()[0].state, analysis::FindingState::resolved);
  EXPECT_EQ(judge.findings()[0].since, kStart - 50);
  EXPECT_EQ(judge.findings()[0].until, kStart);
  Judge next;
  FindingMemory(*store_).restore(next, kStart + 3700);
  EXPECT_TRUE(next.findings().empty());
}

TEST_F(FindingMemoryTest, WhatCannotBeReadIsLeftAlone) {
  for (const char* bad : {"", "{", "null", R"({"version":99,"open":[]})", "\xff\xfe"}) {
    put(bad);
    Judge judge;
    FindingMemory memory(*store_);
    memory.restore(judge, kStart);
    memory.keep(judge, {}, kStart + 1);
    EXPECT_TRUE(judge.findings().empty()) << bad;
    EXPECT_EQ(store_->get_state("findings"), bad) << "a newer agent may know what it is";
  }
}

TEST_F(FindingMemoryTest, WhenWhatLastsWasSeenLastIsWrittenEach20Seconds) {
  put(save_findings({kStart, 0, 0, {{finding(kStart - 50), finding(kStart - 50)}}}));
  Judge::Options options;
  options.ledger.resolve_windows = 1000;  // it lasts, whatever the windows show
  Judge judge(options);
  FindingMemory memory(*store_);
  memory.restore(judge, kStart + 5);
  history::History history{history::History::Options{}};
  int writes = 0;
  for (int second = 5; second < 65; second++) {
    const double now = kStart + second;
    history.add(now, kDrain);
    const double before = kept().seen;
    memory.keep(judge, judge.step(history, now, {}), now);
    writes += kept().seen != before ? 1 : 0;
    EXPECT_LE(judge.observed() - kept().seen, 25) << second;
  }
  EXPECT_EQ(writes, 2);
  EXPECT_EQ(kept().open.size(), 1U);
}

TEST_F(FindingMemoryTest, NothingIsWrittenWhileNothingIsOpen) {
  Judge judge;
  FindingMemory memory(*store_);
  for (int i = 0; i < 100; i++) memory.keep(judge, {}, kStart + i);
  EXPECT_FALSE(store_->get_state("findings"));
  memory.keep(judge, {{finding(kStart)}, {}}, kStart + 100);
  EXPECT_TRUE(store_->get_state("findings")) << "a change is";
}

}  // namespace
}  // namespace nz::agent
