#include "userspace/base/guard.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <thread>

namespace nz {
namespace {

struct NoStandardException {};

TEST(Guard, WhatIsThrownEndsHereAndIsCounted) {
  Guard guard;
  const auto all = Guard::errors_of_all();
  EXPECT_TRUE(guard.run("nothing", [] {}));
  EXPECT_FALSE(guard.run("a step", [] { throw std::runtime_error("no"); }));
  EXPECT_FALSE(guard.run("a step", [] { throw NoStandardException{}; }));
  EXPECT_EQ(guard.errors(), 2U);
  EXPECT_EQ(Guard::errors_of_all(), all + 2);
  EXPECT_EQ(Guard().errors(), 0U);
}

TEST(Guard, AThreadIsBegunAgainUntilItEndsByItself) {
  Guard guard;
  int begun = 0;
  std::thread([&] {
    guard.keep("a thread", [&] {
      begun++;
      if (begun == 1) throw std::runtime_error("no");
      if (begun == 2) throw NoStandardException{};
    });
  }).join();
  EXPECT_EQ(begun, 3);
  EXPECT_EQ(guard.errors(), 2U);
}

}  // namespace
}  // namespace nz
