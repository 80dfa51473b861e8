// What a restarted agent knows of the findings of the one before it.
#include "userspace/agent/finding_memory.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "userspace/agent/finding_state.h"

namespace nz::agent {
namespace {

namespace fs = std::filesystem;
constexpr double kStart = 1'764'000'000;

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
  FindingMemoryTest() {
    fs::create_directories(folder_);
    store::Options options;
    options.path = folder_ / "history.db";
    auto opened = store::Store::open(options);
    EXPECT_TRUE(opened);
    store_ = std::move(*opened);
  }
  ~FindingMemoryTest() override {
    store_.reset();
    fs::remove_all(folder_);
  }
  void put(const std::string& state) const { ASSERT_TRUE(store_->put_state("findings", state)); }
  [[nodiscard]] SavedFindings kept() const {
    return restore_findings(store_->get_state("findings").value_or("")).value_or(SavedFindings{});
  }

  fs::path folder_ = fs::temp_directory_path() / ("nearzero-findings-" + std::to_string(getpid()));
  std::unique_ptr<store::Store> store_;
};

TEST_F(FindingMemoryTest, AFindingGoesOnWithItsTimeAndItsReference) {
  for (int drain = 0; drain <= 70; drain++) {
    const std::vector<metrics::Family> families = {
        {"nearzero_off", "", metrics::Type::gauge, {{{}, 0.0, nullptr}}}};
    const double after = 10.0 * drain;
    store_->add(kStart + after, std::make_shared<const std::vector<metrics::Family>>(families),
                1000 + after);
    if (drain % 4 == 3) {
      ASSERT_TRUE(store_->flush());
    }
  }
  ASSERT_TRUE(store_->flush());
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
    EXPECT_TRUE(judge.findings().empty()) << bad;
  }
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
