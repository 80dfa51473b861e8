// Series that come back after history has forgotten them.
#include <gtest/gtest.h>

#include <utility>

#include "userspace/history/test_history.h"

namespace nz::history {
namespace {

using analysis::Window;
using namespace testing;

// A service that is stopped for longer than history reaches, while others come or do not.
class LongAbsence : public ::testing::TestWithParam<std::pair<double, bool>> {
 protected:
  static constexpr int kBack = 151;
  LongAbsence() {
    families_of(0, 10, 10);
    for (int s = 1; s < kBack; s++) {
      Families there{gauge("g", 1)};
      if (GetParam().second && s > 120) there.push_back(counter("other_total", s));
      history.add(kStart + s, there);
    }
  }
  void families_of(int second, double more, double less, Families further = {}) {
    further.insert(further.begin(), {gauge("g", 1), counter("more_total", more),
                                     counter("less_total", less), histogram("h", values)});
    history.add(kStart + second, further);
  }
  [[nodiscard]] Window since(int from, int to) const {
    return history.window(kStart + from, kStart + to);
  }

  History history{{.resolution = GetParam().first, .length = 100}};
  analysis::Histogram values = after({}, {1'000, 2'000, 4'000});
};

TEST_P(LongAbsence, WhatWasCountedMeanwhileIsOfNoInterval) {
  values = after(values, {8'000});
  families_of(kBack, 1000, 4);
  const Window back = since(kBack - 1, kBack);
  EXPECT_EQ(back.change("more_total"), 0) << "when it grew is not known";
  EXPECT_EQ(back.value("more_total"), 1000);
  EXPECT_EQ(back.change("less_total"), 4) << "it began at 0 meanwhile";
  EXPECT_EQ(back.histogram("h").count(), 0U);
  values = after(values, {500, 16'000});
  families_of(kBack + 1, 1007, 5, {counter("new_total", 3)});
  const Window later = since(kBack - 1, kBack + 1);
  EXPECT_EQ(later.change("more_total"), 7);
  EXPECT_EQ(later.change("less_total"), 5);
  EXPECT_EQ(later.change("new_total"), 3) << "one that was never there began at 0";
  EXPECT_EQ(later.histogram("h").count(), 2U);
  EXPECT_EQ(later.histogram("h").sum_ns, 16'500U);
  EXPECT_EQ(later.histogram("h").min_ns, 500U);
  EXPECT_EQ(later.histogram("h").max_ns, 16'000U);
}

TEST_P(LongAbsence, ARestartAfterTheReturnBeginsAtZero) {
  families_of(kBack, 1000, 10);
  values = after({}, {500});
  families_of(kBack + 1, 2, 12);
  const Window w = since(kBack - 1, kBack + 1);
  EXPECT_EQ(w.change("more_total"), 2);
  EXPECT_EQ(w.change("less_total"), 2);
  EXPECT_EQ(w.histogram("h").count(), 1U);
}

TEST_P(LongAbsence, OneThatReturnsTwiceIsKnownTwice) {
  families_of(kBack, 1000, 10);
  for (int s = kBack + 1; s < 2 * kBack; s++) history.add(kStart + s, {gauge("g", 1)});
  families_of(2 * kBack, 5000, 10);
  EXPECT_EQ(since(2 * kBack - 1, 2 * kBack).change("more_total"), 0);
}

INSTANTIATE_TEST_SUITE_P(History, LongAbsence,
                         ::testing::Values(std::pair{1.0, false}, std::pair{1.0, true},
                                           std::pair{10.0, false}, std::pair{10.0, true}));

}  // namespace
}  // namespace nz::history
