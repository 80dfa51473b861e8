#include "userspace/agent/background.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <stdexcept>

#include "userspace/base/test_eventually.h"

namespace nz::agent {
namespace {

using std::chrono::milliseconds;

TEST(Background, RunsEachAgainAndAgainAndGivesWay) {
  std::atomic<int> one = 0, other = 0, nice = 0;
  Background background;
  background.start({{"one", milliseconds(1),
                     [&] {
                       one++;
                       nice = getpriority(PRIO_PROCESS, 0);
                     }},
                    {"other", milliseconds(2), [&] { other++; }}});
  EXPECT_TRUE(eventually([&] { return one > 3 && other > 3; }));
  EXPECT_EQ(nice, 19);
  EXPECT_EQ(background.errors(), 0U);
}

TEST(Background, AnExceptionIsCountedAndItGoesOn) {
  std::atomic<int> after = 0;
  Background background;
  background.start({{"bad", milliseconds(1), [] { throw std::runtime_error("no"); }},
                    {"odd", milliseconds(1), [] { throw 1; }},
                    {"good", milliseconds(1), [&] { after++; }}});
  EXPECT_TRUE(eventually([&] { return background.errors() > 2 && after > 1; }));
}

TEST(Background, EndsWithoutWaitingForWhatIsNotDue) {
  const auto begin = std::chrono::steady_clock::now();
  {
    Background background;
    background.start({{"rare", std::chrono::hours(1), [] { FAIL() << "not due"; }}});
  }
  { const Background never_started; }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::minutes(1));
}

}  // namespace
}  // namespace nz::agent
