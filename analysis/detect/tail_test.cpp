#include "analysis/detect/tail.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace nz::analysis::detect {
namespace {

TEST(Tail, SurpriseIsTheLogOfTheTail) {
  std::mt19937_64 bits(2);
  std::normal_distribution<double> normal;
  Tail tail;
  for (int i = 0; i < 50'000; i++) tail.learn(static_cast<float>(std::abs(normal(bits))));
  int beyond = 0;
  for (int i = 0; i < 50'000; i++) {
    const auto v = static_cast<float>(std::abs(normal(bits)));
    beyond += tail.surprise(v) > 3 ? 1 : 0;
    tail.learn(v);
  }
  EXPECT_GT(beyond, 10);  // 50 by chance
  EXPECT_LT(beyond, 200);
  EXPECT_LT(tail.surprise(0.5F), 0.5F);
  EXPECT_GT(tail.surprise(8), 5);
  EXPECT_LT(tail.surprise(3), tail.surprise(4));
}

}  // namespace
}  // namespace nz::analysis::detect
