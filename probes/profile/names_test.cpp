#include "probes/profile/names.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <map>
#include <thread>

#include "probes/profile/waiting_stacks.h"

namespace sampled {
__attribute__((noinline, used)) int function(int x) {
  asm volatile("" ::: "memory");
  return x + 1;
}
}  // namespace sampled

namespace nz::probes::profile {
namespace {

const auto kFunction = reinterpret_cast<uint64_t>(&sampled::function);

class NamesTest : public ::testing::Test {
 protected:
  // As the probe does, once a drain.
  void round() {
    names_.begin_round();
    names_.exchange(now_);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    now_ += 1;
  }
  std::string name_of(const Names::Place& place) {
    for (int i = 0; i < 2000; i++) {
      if (const auto id = names_.function_of(place)) return names_.function(*id).name;
      round();
    }
    return "never";
  }

  Names names_;
  double now_ = 1000;
};

TEST_F(NamesTest, AFunctionOfAProcessIsAskedOnce) {
  const auto place = names_.user(getpid(), kFunction);
  EXPECT_FALSE(names_.function_of(place)) << "not known yet";
  EXPECT_EQ(names_.waiting(), 1U);
  EXPECT_EQ(name_of(place), "sampled::function");
  EXPECT_EQ(names_.waiting(), 0U);
  const auto id = names_.function_of(names_.user(getpid(), kFunction + 1));
  ASSERT_TRUE(id) << "the function is known as a whole";
  EXPECT_EQ(names_.function(*id).name, "sampled::function");
  EXPECT_TRUE(names_.named(*id));
  EXPECT_NE(names_.function(*id).module.find("test"), std::string::npos);
}

TEST_F(NamesTest, WhatIsNotThereSaysSo) {
  EXPECT_EQ(name_of(names_.user(0x7ffffff0, 4096)), "[unknown]") << "the process is gone";
  EXPECT_EQ(name_of(names_.user(getpid(), 1)), "[unknown]");
}

TEST_F(NamesTest, RefreshingKeepsWhatIsKnown) {
  names_.prepare(getpid());
  names_.refresh(getpid());
  EXPECT_EQ(name_of(names_.user(getpid(), kFunction)), "sampled::function");
  names_.forget(getpid());
  EXPECT_EQ(name_of(names_.user(getpid(), kFunction)), "sampled::function") << "it is read again";
}

TEST_F(NamesTest, ManyNamesAreBounded) {
  Names small(Names::Limits{.functions = 1, .ranges = 1, .files = 1, .addresses = 1});
  const auto id = small.function_of(small.user(getpid(), kFunction));
  ASSERT_TRUE(id) << "no room for the file: not asked";
  EXPECT_EQ(*id, Names::kOther);
}

TEST_F(NamesTest, StacksWaitForTheirNamesAndAreToldRootFirst) {
  WaitingStacks waiting(names_);
  const std::vector<uint64_t> user{kFunction, 1};
  Sampled sampled{static_cast<uint32_t>(getpid()), 3, 7, user, {}};
  waiting.add(sampled);
  std::map<std::string, uint32_t> told;
  const auto account = [&](uint32_t slot, const std::vector<FunctionId>& functions, uint32_t n) {
    EXPECT_EQ(slot, 3U);
    std::string stack;
    for (const FunctionId f : functions) stack += names_.function(f).name + ";";
    told[stack] += n;
  };
  waiting.settle(account);
  EXPECT_TRUE(told.empty());
  EXPECT_EQ(waiting.samples(), 7U);
  for (int i = 0; i < 2000 && told.empty(); i++) {
    round();
    waiting.settle(account);
  }
  EXPECT_EQ(told, (std::map<std::string, uint32_t>{{"[unknown];sampled::function;", 7}}));
  EXPECT_EQ(waiting.samples(), 0U);
}

TEST_F(NamesTest, MoreStacksThanMayWaitAreToldAsTheyAre) {
  WaitingStacks waiting(names_);
  const std::vector<uint64_t> user{kFunction};
  for (size_t i = 0; i < WaitingStacks::kMost + 2; i++)
    waiting.add({static_cast<uint32_t>(getpid()), 3, 1, user, {}});
  uint32_t told = 0;
  waiting.settle([&](uint32_t, const std::vector<FunctionId>& functions, uint32_t n) {
    EXPECT_EQ(functions, std::vector<FunctionId>{Names::kOther});
    told += n;
  });
  EXPECT_EQ(told, 2U);
  EXPECT_EQ(waiting.samples(), WaitingStacks::kMost);
}

}  // namespace
}  // namespace nz::probes::profile
