#include "probes/profile/folded_stacks.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace nz::probes::profile {
namespace {

constexpr double kStart = 5'000;

std::string name(uint32_t function) {
  return function == 9 ? "take<[u8; 4]>" : "f" + std::to_string(function);
}

TEST(FoldedStacks, ALineForEachMostSamplesFirst) {
  FoldedStacks stacks;
  EXPECT_TRUE(stacks.add(kStart, {1, 2, 3}, 4));
  EXPECT_TRUE(stacks.add(kStart + 5, {1, 2}, 40));
  EXPECT_TRUE(stacks.add(kStart + 20, {1, 2, 3}, 3));
  EXPECT_TRUE(stacks.add(kStart + 20, {1, 9}, 1));
  EXPECT_TRUE(stacks.add(kStart + 20, {}, 1));
  EXPECT_EQ(stacks.text(name), "f1;f2 40\nf1;f2;f3 7\nf1;take<[u8, 4]> 1\n");
}

TEST(FoldedStacks, StacksOfTheSameNamesAreOne) {
  FoldedStacks stacks;
  stacks.add(kStart, {1}, 4);
  stacks.add(kStart, {2}, 4);
  EXPECT_EQ(stacks.text([](uint32_t) { return std::string("same"); }), "same 8\n");
}

TEST(FoldedStacks, OnlyTheLastMinute) {
  FoldedStacks stacks;
  stacks.add(kStart, {1}, 4);
  stacks.add(kStart + 50, {2}, 4);
  EXPECT_EQ(stacks.text(name), "f1 4\nf2 4\n");
  stacks.advance(kStart + 60);
  EXPECT_EQ(stacks.text(name), "f2 4\n");
  stacks.advance(kStart + 1000);
  EXPECT_EQ(stacks.text(name), "");
}

TEST(FoldedStacks, OfWhatThereIsNoRoomForTheLeafIsKept) {
  FoldedStacks stacks;
  for (uint32_t i = 0; i < FoldedStacks::kStacks; i++)
    EXPECT_TRUE(stacks.add(kStart, {i + 10, 2}, 1));
  EXPECT_FALSE(stacks.add(kStart, {5, 2}, 1000));
  EXPECT_FALSE(stacks.add(kStart, {6, 2}, 1000));
  EXPECT_EQ(stacks.text(name).substr(0, 8), "f2 2000\n");
}

TEST(FoldedStacks, TheTextIsBounded) {
  FoldedStacks stacks;
  for (uint32_t i = 0; i < 100; i++) stacks.add(kStart, {i + 10}, 3);
  const auto text =
      stacks.text([](uint32_t f) { return std::string(20'000, 'x') + std::to_string(f); });
  EXPECT_LE(text.size(), FoldedStacks::kBytes + 100);
  const size_t shown = static_cast<size_t>(std::count(text.begin(), text.end(), '\n')) - 1;
  EXPECT_TRUE(text.ends_with("\n[not shown] " + std::to_string(3 * (100 - shown)) + "\n"));
}

}  // namespace
}  // namespace nz::probes::profile
