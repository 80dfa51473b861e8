#include "probes/profile/stack_table.h"

#include <gtest/gtest.h>

#include <vector>

namespace nz::probes::profile {
namespace {

struct Kept {
  uint32_t tgid, slot, count;
  std::vector<uint64_t> user, kernel;
};

class StackTableTest : public ::testing::Test {
 protected:
  std::vector<Kept> drain() {
    std::vector<Kept> all;
    table_.drain([&](const Sampled& s) {
      all.push_back({s.tgid,
                     s.slot,
                     s.count,
                     {s.user.begin(), s.user.end()},
                     {s.kernel.begin(), s.kernel.end()}});
    });
    return all;
  }
  // As the program does.
  void write(size_t row, uint64_t hash, uint32_t count) {
    const size_t at = half_ * 8 + row;
    rows_[at] = {hash, 100, 3, count, 2, 1, 0};
    stacks_[at].user[0] = hash;
    stacks_[at].user[1] = 11;
    stacks_[at].kernel[0] = 0xffffffff81000000;
  }

  std::vector<nz_profile_row> rows_ = std::vector<nz_profile_row>(16);
  std::vector<nz_profile_stack> stacks_ = std::vector<nz_profile_stack>(16);
  nz_u32 half_ = 0;
  StackTable table_{rows_, stacks_, half_};
};

TEST_F(StackTableTest, WhatIsBeingWrittenIsToldWhenItHasRested) {
  write(5, 77, 3);
  EXPECT_TRUE(drain().empty());
  EXPECT_EQ(half_, 1U);
  write(2, 88, 1);
  const auto first = drain();
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0].tgid, 100U);
  EXPECT_EQ(first[0].slot, 3U);
  EXPECT_EQ(first[0].count, 3U);
  EXPECT_EQ(first[0].user, (std::vector<uint64_t>{77, 11}));
  EXPECT_EQ(first[0].kernel, (std::vector<uint64_t>{0xffffffff81000000}));
  EXPECT_EQ(rows_[5].hash, 0U) << "free again";
  EXPECT_EQ(half_, 0U);
  ASSERT_EQ(drain().size(), 1U);
  EXPECT_TRUE(drain().empty());
}

TEST_F(StackTableTest, DepthsAreBoundedWhateverIsInTheMap) {
  write(0, 1, 1);
  rows_[0].user_depth = 65535;
  rows_[0].kernel_depth = 65535;
  rows_[0].slot = 99;
  drain();
  const auto all = drain();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].user.size(), size_t{NZ_PROFILE_USER});
  EXPECT_EQ(all[0].kernel.size(), size_t{NZ_PROFILE_KERNEL});
  EXPECT_LT(all[0].slot, uint32_t{NZ_SLOTS});
}

TEST_F(StackTableTest, ClearForgetsBothHalves) {
  write(0, 1, 1);
  drain();
  write(1, 2, 1);
  table_.clear();
  EXPECT_TRUE(drain().empty());
  EXPECT_TRUE(drain().empty());
}

}  // namespace
}  // namespace nz::probes::profile
