#include "analysis/detect/stabilise.h"

#include <gtest/gtest.h>

#include <cmath>

namespace nz::analysis::detect {
namespace {

TEST(Stabiliser, GoesThereAndBack) {
  for (const double unit : {1e-9, 1.0, 1e12}) {
    const Stabiliser s(unit);
    for (const double v : {-3.0, 0.0, 1e-6, 2.5, 1e9}) {
      EXPECT_NEAR(s.backward(s.forward(v)), v, 1e-9 * std::abs(v) + 1e-30);
    }
  }
}

}  // namespace
}  // namespace nz::analysis::detect
